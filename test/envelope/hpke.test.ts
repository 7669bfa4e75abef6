import * as noble from '@panva/hpke-noble';
import * as HPKE from 'hpke';
import { describe, expect, it } from 'vitest';
import { encodeUtf8 } from '../../src/base/index.ts';
import { openHpke, sealHpke } from '../../src/envelope/index.ts';
import { suitePairs, suites, syncSuites } from './envelope-fixture.ts';

const info = encodeUtf8('sealdesk/test/v1');
const aad = encodeUtf8('associated');
const plaintext = encodeUtf8('{"tickets":[]}');

/** A suite of the package, as two functions over raw keys. */
function adapt<Key extends HPKE.Key>(name: string, reference: HPKE.CipherSuite<Key>) {
  return {
    name,
    async open(seed: Uint8Array, enc: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array> {
      const privateKey = await reference.DeserializePrivateKey(seed, false);
      return reference.Open(privateKey, enc, ciphertext, { info, aad });
    },
    async seal(publicKey: Uint8Array): Promise<{ encapsulatedSecret: Uint8Array; ciphertext: Uint8Array }> {
      return reference.Seal(await reference.DeserializePublicKey(publicKey), plaintext, { info, aad });
    },
  };
}

const references = [
  adapt('hpke', new HPKE.CipherSuite(HPKE.KEM_ML_KEM_768, HPKE.KDF_HKDF_SHA512, HPKE.AEAD_AES_256_GCM)),
  adapt(
    '@panva/hpke-noble',
    new HPKE.CipherSuite(noble.KEM_ML_KEM_768, noble.KDF_HKDF_SHA512, noble.AEAD_AES_256_GCM),
  ),
];

const pairs = suites.flatMap((suite) =>
  references.map((reference) => [suite.name, reference.name, suite, reference] as const),
);

describe('HPKE with ML-KEM-768, HKDF-SHA-512 and AES-256-GCM', () => {
  it.each(
    pairs,
  )('sealed by the %s suite is opened by the package %s', async (_suite, _package, suite, reference) => {
    const seed = suite.randomBytes(64);
    const recipient = await suite.importKemPrivateKey(seed);
    const sealed = await sealHpke(suite, { recipient, info, aad, plaintext });
    const opened = await reference.open(seed, sealed.enc, sealed.ciphertext);
    expect(new Uint8Array(opened)).toEqual(plaintext);
  });

  it.each(
    pairs,
  )('opened by the %s suite is what the package %s sealed', async (_suite, _package, suite, reference) => {
    const recipient = await suite.importKemPrivateKey(suite.randomBytes(64));
    const { encapsulatedSecret, ciphertext } = await reference.seal(recipient.publicKey);
    const opened = await openHpke(suite, { recipient, info, aad, enc: encapsulatedSecret, ciphertext });
    expect(opened?.plaintext).toEqual(plaintext);
  });

  it.each(
    suitePairs,
  )('sealed by %s is opened by %s, with the same base nonce', async (_a, _b, sealer, opener) => {
    const seed = sealer.randomBytes(64);
    const recipient = await sealer.importKemPublicKey((await sealer.importKemPrivateKey(seed)).publicKey);
    const sealed = await sealHpke(sealer, { recipient, info, aad, plaintext });
    const opened = await openHpke(opener, {
      ...sealed,
      recipient: await opener.importKemPrivateKey(seed),
      info,
      aad,
    });
    expect(opened).toEqual({ plaintext, baseNonce: sealed.baseNonce });
  });

  it.each(
    suites,
  )('the $name suite opens nothing under another key, info, aad, enc or ciphertext', async (suite) => {
    const recipient = await suite.importKemPrivateKey(suite.randomBytes(64));
    const sealed = await sealHpke(suite, { recipient, info, aad, plaintext });
    const good = { recipient, info, aad, enc: sealed.enc, ciphertext: sealed.ciphertext };
    const flipped = (bytes: Uint8Array): Uint8Array =>
      bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte));
    const changes = [
      { recipient: await suite.importKemPrivateKey(suite.randomBytes(64)) },
      { info: encodeUtf8('sealdesk/test/v2') },
      { info: new Uint8Array(0) },
      { aad: new Uint8Array(0) },
      { enc: flipped(sealed.enc) },
      { ciphertext: flipped(sealed.ciphertext) },
      { ciphertext: sealed.ciphertext.subarray(1) },
    ];
    expect(await openHpke(suite, good)).not.toBeNull();
    for (const change of changes) expect(await openHpke(suite, { ...good, ...change })).toBeNull();
  });

  it.each(suites)('the $name suite calls sizes that no message has a misuse', async (suite) => {
    const recipient = await suite.importKemPrivateKey(suite.randomBytes(64));
    const sealed = await sealHpke(suite, { recipient, info, aad, plaintext });
    const good = { recipient, info, aad, enc: sealed.enc, ciphertext: sealed.ciphertext };
    await expect(openHpke(suite, { ...good, enc: sealed.enc.subarray(1) })).rejects.toThrow(RangeError);
    await expect(openHpke(suite, { ...good, ciphertext: new Uint8Array(15) })).rejects.toThrow(RangeError);
  });

  it('keeps no more key schedule contexts than it may and still opens beyond them', async () => {
    const [suite] = syncSuites;
    const recipient = suite.importKemPrivateKey(suite.randomBytes(64));
    for (let index = 0; index < 40; index += 1) {
      const own = encodeUtf8(`sealdesk/test/${index}`);
      const sealed = await sealHpke(suite, { recipient, info: own, aad, plaintext });
      expect((await openHpke(suite, { ...sealed, recipient, info: own, aad }))?.plaintext).toEqual(plaintext);
    }
  });
});
