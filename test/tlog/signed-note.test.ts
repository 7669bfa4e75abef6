import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, encodeBase64, encodeUtf8, parseBase64 } from '../../src/base/index.ts';
import {
  type Checkpoint,
  createNoteVerifier,
  encodeCheckpoint,
  encodeOrigin,
  encodeSignedNote,
  encodeVerifierKey,
  NOTE_KEY_FORMATS,
  NOTE_LIMITS,
  noteKeyId,
  parseCheckpoint,
  parseOrigin,
  parseSignedNote,
  parseVerifierKey,
} from '../../src/tlog/index.ts';
import { sha256 } from './naive-tree.ts';

/** The example in the documentation of golang.org/x/mod/sumdb/note, which C2SP signed-note describes. */
const EXAMPLE = Object.freeze({
  verifierKey: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature: 'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=',
});
/** The example of C2SP tlog-checkpoint. */
const CHECKPOINT = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';

const name = fc.stringMatching(/^[a-z0-9./-]{1,40}$/);
const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map(copy);
const copy = (bytes: Uint8Array): Bytes => Uint8Array.from(bytes);

function ed25519PublicKey(raw: Uint8Array) {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

describe('A checkpoint', () => {
  test('is read from the example of C2SP and written as it was', () => {
    const checkpoint = parseCheckpoint(CHECKPOINT);
    expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 });
    expect(encodeCheckpoint(checkpoint as Checkpoint)).toBe(CHECKPOINT);
  });

  test('is the same after writing and reading, whatever it says', () => {
    fc.assert(
      fc.property(name, fc.maxSafeNat(), bytesOf(32), (origin, size, root) => {
        expect(parseCheckpoint(encodeCheckpoint({ origin, size, root }))).toEqual({ origin, size, root });
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['no last line end', CHECKPOINT.slice(0, -1)],
    ['an extension line', `${CHECKPOINT}more\n`],
    ['an empty line', `${CHECKPOINT}\n`],
    ['an empty line in front', `\n${CHECKPOINT}`],
    ['no origin', CHECKPOINT.replace('example.com/behind-the-sofa', '')],
    ['a space in the origin', CHECKPOINT.replace('behind-the', 'behind the')],
    ['a no-break space in the origin', CHECKPOINT.replace('behind-the', 'behind\u00a0the')],
    ['a plus in the origin', CHECKPOINT.replace('behind-the', 'behind+the')],
    ['half a character in the origin', CHECKPOINT.replace('behind', '\ud800')],
    ['an origin that is too long', CHECKPOINT.replace('example', 'x'.repeat(250))],
    ['carriage returns', CHECKPOINT.replaceAll('\n', '\r\n')],
    ['a leading zero', CHECKPOINT.replace('20852163', '020852163')],
    ['a sign', CHECKPOINT.replace('20852163', '+20852163')],
    ['a negative size', CHECKPOINT.replace('20852163', '-1')],
    ['another spelling of the size', CHECKPOINT.replace('20852163', '2e7')],
    ['digits of another script', CHECKPOINT.replace('20852163', '\u0662')],
    ['a size beyond 2^53 - 1', CHECKPOINT.replace('20852163', '9007199254740992')],
    ['a root without padding', CHECKPOINT.replace('q2I=', 'q2I')],
    ['a root with stray bits', CHECKPOINT.replace('q2I=', 'q2J=')],
    ['a root in base64url', CHECKPOINT.replace('m/X', 'm_X')],
    [
      'a root of 31 bytes',
      CHECKPOINT.replace('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', `${'A'.repeat(41)}A==`),
    ],
  ])('is refused with %s', (_, text) => {
    expect(parseCheckpoint(text)).toBeNull();
  });

  test('is read from no text but its own', () => {
    fc.assert(
      fc.property(
        fc.nat(CHECKPOINT.length),
        fc.string({ minLength: 1, maxLength: 3, unit: 'binary' }),
        (at, more) => {
          const text = CHECKPOINT.slice(0, at) + more + CHECKPOINT.slice(at);
          const read = parseCheckpoint(text);
          expect(read === null || encodeCheckpoint(read) === text).toBe(true);
        },
      ),
    );
  });

  test('is not written where it could not be read', () => {
    const root = new Uint8Array(32);
    for (const wrong of [
      { origin: '' },
      { origin: 'a b' },
      { size: -1 },
      { size: 1.5 },
      { root: root.slice(1) },
    ]) {
      expect(() => encodeCheckpoint({ origin: 'a', size: 1, root, ...wrong })).toThrow(RangeError);
    }
  });
});

describe('A signed note', () => {
  const note = `${EXAMPLE.text}\n\u2014 PeterNeumann ${EXAMPLE.signature}\n`;

  test('of other tools is read, verified by node:crypto, and written as it was', () => {
    const read = parseSignedNote(note);
    const key = parseVerifierKey(sha256, EXAMPLE.verifierKey);
    if (read === null || key === null) throw new TypeError('The example was refused');
    const [signature] = read.signatures;
    expect(signature).toMatchObject({ name: 'PeterNeumann', keyId: key.keyId });
    const signed = signature?.signature ?? new Uint8Array(0);
    expect(verify(null, Buffer.from(EXAMPLE.text), ed25519PublicKey(key.publicKey), signed)).toBe(true);
    expect(encodeSignedNote(read)).toBe(note);
    expect(encodeVerifierKey(key)).toBe(EXAMPLE.verifierKey);
  });

  test('of a fresh key has the key id and the bytes that node:crypto makes independently', () => {
    const pair = generateKeyPairSync('ed25519');
    const spki = pair.publicKey.export({ format: 'der', type: 'spki' });
    const publicKey = copy(spki.subarray(12));
    const key = createNoteVerifier(sha256, { name: 'sealdesk/x', type: 'ED25519', publicKey });
    const digest = createHash('sha256')
      .update('sealdesk/x')
      .update('\n')
      .update(Buffer.of(1))
      .update(publicKey);
    const id = digest.digest().subarray(0, 4);
    expect(Buffer.from(key.keyId).equals(id)).toBe(true);
    const text = encodeCheckpoint({ origin: key.name, size: 1, root: new Uint8Array(32) });
    const signature = sign(null, Buffer.from(text), pair.privateKey);
    const line = `\u2014 sealdesk/x ${Buffer.concat([id, signature]).toString('base64')}\n`;
    const written = encodeSignedNote({
      text,
      signatures: [{ name: key.name, keyId: key.keyId, signature: copy(signature) }],
    });
    expect(written).toBe(`${text}\n${line}`);
    expect(createPrivateKey(pair.privateKey.export({ format: 'pem', type: 'pkcs8' })).type).toBe('private');
  });

  const signatures = fc.uniqueArray(
    fc.record({
      name,
      keyId: bytesOf(4),
      signature: fc.uint8Array({ minLength: 1, maxLength: 80 }).map(copy),
    }),
    { minLength: 1, maxLength: NOTE_LIMITS.maxSignatures, selector: (one) => `${one.name} ${one.keyId}` },
  );
  const text = fc
    .array(fc.string({ unit: 'grapheme', maxLength: 20 }), { minLength: 1, maxLength: 6 })
    .map((lines) => `${lines.join('\n')}\n`);

  test('is the same after writing and reading, empty lines in its text included', () => {
    fc.assert(
      fc.property(text, signatures, (said, signed) => {
        const made = { text: said, signatures: signed };
        expect(parseSignedNote(encodeSignedNote(made))).toEqual(made);
      }),
    );
  });

  const [, line] = note.split('\n\n') as [string, string];
  test.each([
    ['nothing', ''],
    ['no signature', `${EXAMPLE.text}\n`],
    ['no text', line],
    ['no line end', note.slice(0, -1)],
    ['no empty line', EXAMPLE.text + line],
    ['an empty line behind', `${note}\n`],
    ['a text without line end', `x\u2014\n${line}`],
    ['a hyphen in place of the dash', note.replace('\u2014', '-')],
    ['two spaces', note.replace('\u2014 ', '\u2014  ')],
    ['a space at the end', `${note.slice(0, -1)} \n`],
    ['no name', note.replace('PeterNeumann', '')],
    ['a plus in the name', note.replace('PeterNeumann', 'Peter+Neumann')],
    ['a control character', note.replace('cryptography', 'crypto\tgraphy')],
    ['carriage returns', note.replaceAll('\n', '\r\n')],
    ['half a character', note.replace('cryptography', '\udc00')],
    ['a signature of no bytes', note.replace(EXAMPLE.signature, encodeBase64(new Uint8Array(4)))],
    ['an id of three bytes', note.replace(EXAMPLE.signature, encodeBase64(new Uint8Array(3)))],
    ['a signature without padding', note.replace('nAM=', 'nAM')],
    ['a signature with stray bits', note.replace('nAM=', 'nAN=')],
    ['the same key twice', note + line],
    [
      '17 signatures',
      `${EXAMPLE.text}\n${Array.from({ length: 17 }, (_, at) => line.replace('Peter', `P${at}`)).join('')}`,
    ],
    ['a text that is too long', `${'x'.repeat(NOTE_LIMITS.maxText)}\n\n${line}`],
    [
      'a signature that is too long',
      note.replace(EXAMPLE.signature, encodeBase64(new Uint8Array(4 + NOTE_LIMITS.maxSignature + 1))),
    ],
  ])('is refused with %s', (_, wrong) => {
    expect(parseSignedNote(wrong)).toBeNull();
  });

  test('is read from no text but its own', () => {
    const piece = fc.string({
      minLength: 1,
      maxLength: 3,
      unit: fc.constantFrom('\n', ' ', '\u2014', 'A', '=', '+'),
    });
    fc.assert(
      fc.property(fc.nat(note.length), fc.nat(3), piece, (at, removed, more) => {
        const wrong = note.slice(0, at) + more + note.slice(at + removed);
        const read = parseSignedNote(wrong);
        expect(read === null || encodeSignedNote(read) === wrong).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('is not written where it could not be read', () => {
    const signature = { name: 'a', keyId: new Uint8Array(4), signature: new Uint8Array(1) };
    const good = { text: 'x\n', signatures: [signature] };
    expect(parseSignedNote(encodeSignedNote(good))).toEqual(good);
    for (const wrong of [
      { text: 'x' },
      { text: '' },
      { text: 'x\r\n' },
      { signatures: [] },
      { signatures: [signature, signature] },
      { signatures: [{ ...signature, name: 'a b' }] },
      { signatures: [{ ...signature, keyId: new Uint8Array(5) }] },
      { signatures: [{ ...signature, signature: new Uint8Array(0) }] },
    ]) {
      expect(() => encodeSignedNote({ ...good, ...wrong })).toThrow(RangeError);
    }
  });
});

describe('A verifier key', () => {
  test.each(['ED25519', 'ML_DSA_65'] as const)('of type %s is the same after writing and reading', (type) => {
    const size = NOTE_KEY_FORMATS[type].publicKey;
    fc.assert(
      fc.property(name, bytesOf(size), (own, publicKey) => {
        const key = createNoteVerifier(sha256, { name: own, type, publicKey });
        expect(key.keyId).toEqual(noteKeyId(sha256, own, NOTE_KEY_FORMATS[type].type, publicKey));
        expect(parseVerifierKey(sha256, encodeVerifierKey(key))).toEqual(key);
      }),
      { numRuns: 20 },
    );
  });

  test('of ML-DSA-65 says its type in words after 0xff', () => {
    const publicKey = new Uint8Array(1952);
    const key = createNoteVerifier(sha256, { name: 'n', type: 'ML_DSA_65', publicKey });
    const encoded = parseBase64(encodeVerifierKey(key).split('+')[2] ?? '');
    const type = Uint8Array.from([0xff, ...encodeUtf8('sealdesk/ml-dsa-65')]);
    expect(encoded).toEqual(Uint8Array.from([...type, ...publicKey]));
    expect(key.keyId).toEqual(
      sha256(Uint8Array.from([...encodeUtf8('n\n'), ...type, ...publicKey])).slice(0, 4),
    );
  });

  const [own, id, encoded] = EXAMPLE.verifierKey.split('+') as [string, string, string];
  test.each([
    ['nothing', ''],
    ['another id', `${own}+c74f20a4+${encoded}`],
    ['an id in capitals', `${own}+${id.toUpperCase()}+${encoded}`],
    ['a short id', `${own}+${id.slice(1)}+${encoded}`],
    ['no name', `+${id}+${encoded}`],
    ['another name', `Peter+${id}+${encoded}`],
    ['a space', `${EXAMPLE.verifierKey} `],
    ['a line end', `${EXAMPLE.verifierKey}\n`],
    ['another type', `${own}+${id}+${encoded.replace('ARpc', 'Ahpc')}`],
    ['a key that is too short', `${own}+${id}+${encoded.slice(0, -4)}`],
    ['a private key', `PRIVATE+KEY+${own}+${id}+${encoded}`],
  ])('is refused with %s', (_, wrong) => {
    expect(parseVerifierKey(sha256, wrong)).toBeNull();
  });
});

describe('An origin', () => {
  const tenantId = 'ten_01kaj5p9w07rz8000000000001';

  test('names tenant and epoch, the first epoch by saying none', () => {
    expect(encodeOrigin({ tenantId, epoch: 1 })).toBe(`sealdesk/${tenantId}`);
    expect(encodeOrigin({ tenantId, epoch: 2 })).toBe(`sealdesk/${tenantId}/2`);
    for (const epoch of [1, 2, 10, 999_999_999]) {
      expect(parseOrigin(encodeOrigin({ tenantId, epoch }))).toEqual({ tenantId, epoch });
    }
    expect(() => encodeOrigin({ tenantId, epoch: 0 })).toThrow(RangeError);
    expect(() => encodeOrigin({ tenantId: 'ten_x', epoch: 1 })).toThrow(RangeError);
  });

  test.each([
    '',
    'sealdesk',
    'sealdesk/ten_x',
    `other/${tenantId}`,
    ...['/', '/0', '/1', '/02', '/2/', '/2/3', '/+2', '/1000000000'].map(
      (end) => `sealdesk/${tenantId}${end}`,
    ),
  ])('is not read from "%s"', (origin) => {
    expect(parseOrigin(origin)).toBeNull();
  });
});
