/** The keys of checkpoints: where they come from, and that others' implementations verify what they sign. */
import { createHash, createHmac, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createId, encodeBase64Url, encodeUtf8 } from '../../src/base/index.ts';
import { encodeVerifierKey, type NoteSignature } from '../../src/tlog/index.ts';
import type { CheckpointSigner } from '../../src/vault/index.ts';
import { type Fixture, openFixture } from './vault-fixture.ts';

const TEXT = 'sealdesk/test\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n';
const ORIGIN = `sealdesk/${createId('tenant')}`;
const CONTEXT = encodeUtf8('sealdesk/checkpoint/v1');
const [ED25519_TYPE, ML_DSA_TYPE] = [
  Uint8Array.of(1),
  Uint8Array.of(255, ...encodeUtf8('sealdesk/ml-dsa-65')),
];

describe('The keys that sign checkpoints', () => {
  let fixture: Fixture;
  let tenantId: string;
  let signer: CheckpointSigner;
  let signatures: readonly NoteSignature[];
  /** Copies of the 32-byte secrets that were unwrapped. */
  let secrets: Buffer[];

  beforeAll(async () => {
    fixture = await openFixture('pglite');
    tenantId = await fixture.createTenant();
    const { random } = fixture;
    secrets = random.filter(({ length }) => length === 32).map((bytes) => Buffer.from(bytes));
    signer = (await fixture.keyring.keysOf(tenantId)).checkpointSigner();
    signatures = await signer.signNote(ORIGIN, TEXT);
  });
  afterAll(() => fixture[Symbol.asyncDispose]());

  /** HKDF-Expand (RFC 5869 §2.3), one block of SHA-512, written out. */
  const seedOf = (secret: Uint8Array, label: string) =>
    createHmac('sha512', secret).update(label).update(Uint8Array.of(1)).digest().subarray(0, 32);
  const ed25519Key = () =>
    createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(signer.ed25519PublicKey) },
      format: 'jwk',
    });
  const idOf = (type: Uint8Array, publicKey: Uint8Array) =>
    createHash('sha256').update(`${ORIGIN}\n`).update(type).update(publicKey).digest().subarray(0, 4);

  it('come from one secret of the tenant, each under a label of its own', () => {
    const made = secrets.filter((secret) => {
      const { publicKey } = ml_dsa65.keygen(
        Uint8Array.from(seedOf(secret, 'sealdesk/checkpoint-ml-dsa-65/v1')),
      );
      return Buffer.from(publicKey).equals(signer.mlDsaPublicKey);
    });
    expect(made).toHaveLength(1);
    const [secret = Buffer.alloc(0)] = made;
    const d = seedOf(secret, 'sealdesk/checkpoint-ed25519/v1').toString('base64url');
    const x = encodeBase64Url(signer.ed25519PublicKey);
    const key = createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x }, format: 'jwk' });
    // Ed25519 is deterministic: the same seed gives the same signature.
    expect(Buffer.from(signatures[0]?.signature ?? [])).toEqual(sign(null, encodeUtf8(TEXT), key));
  });

  it('sign a note twice, Ed25519 first, as independent implementations verify it', () => {
    const message = encodeUtf8(TEXT);
    const [ed25519, mlDsa] = signatures;
    expect(signatures).toHaveLength(2);
    expect(verify(null, message, ed25519Key(), ed25519?.signature ?? message)).toBe(true);
    const signature = mlDsa?.signature ?? message;
    expect(ml_dsa65.verify(signature, message, signer.mlDsaPublicKey, { context: CONTEXT })).toBe(true);
    expect(ml_dsa65.verify(signature, message, signer.mlDsaPublicKey)).toBe(false);
    expect(signatures.map(({ signature: { length } }) => length)).toEqual([64, 3309]);
  });

  it('are named by the ids that signed-note computes of them', () => {
    const [ed25519, mlDsa] = signatures;
    expect(Buffer.from(ed25519?.keyId ?? [])).toEqual(idOf(ED25519_TYPE, signer.ed25519PublicKey));
    expect(Buffer.from(mlDsa?.keyId ?? [])).toEqual(idOf(ML_DSA_TYPE, signer.mlDsaPublicKey));
    expect(signatures.map(({ name }) => name)).toEqual([ORIGIN, ORIGIN]);
    const [first = '', second = ''] = signer.verifiersOf(ORIGIN).map(encodeVerifierKey);
    const wholeKey = Buffer.concat([ED25519_TYPE, signer.ed25519PublicKey]).toString('base64');
    expect(first).toBe(
      `${ORIGIN}+${idOf(ED25519_TYPE, signer.ed25519PublicKey).toString('hex')}+${wholeKey}`,
    );
    expect(second).toMatch(/^sealdesk\/ten_\w+\+[0-9a-f]{8}\+/);
  });

  it('accept their own note, and none of another text, origin, order or number of signatures', async () => {
    const note = { text: TEXT, signatures };
    const [ed25519, mlDsa] = signatures as [NoteSignature, NoteSignature];
    expect(await signer.verifyNote(ORIGIN, note)).toBe(true);
    const flipped = (one: NoteSignature): NoteSignature => {
      const signature = Uint8Array.from(one.signature);
      signature[7] = (signature[7] ?? 0) ^ 1;
      return { ...one, signature };
    };
    for (const other of [
      { ...note, text: TEXT.replace('7', '8') },
      { ...note, signatures: [mlDsa, ed25519] },
      { ...note, signatures: [ed25519] },
      { ...note, signatures: [...signatures, ed25519] },
      { ...note, signatures: [flipped(ed25519), mlDsa] },
      { ...note, signatures: [ed25519, flipped(mlDsa)] },
      { ...note, signatures: [ed25519, { ...mlDsa, keyId: ed25519.keyId }] },
    ]) {
      expect(await signer.verifyNote(ORIGIN, other)).toBe(false);
    }
    expect(await signer.verifyNote(`${ORIGIN}/2`, note)).toBe(false);
  });

  it('are the same whenever they are unwrapped, and others for another tenant', async () => {
    await fixture.clock.advance(240_000);
    const again = (await fixture.keyring.keysOf(tenantId)).checkpointSigner();
    expect(again).not.toBe(signer);
    expect(again.ed25519PublicKey).toEqual(signer.ed25519PublicKey);
    expect(await again.verifyNote(ORIGIN, { text: TEXT, signatures })).toBe(true);
    const other = (await fixture.keyring.keysOf(await fixture.createTenant())).checkpointSigner();
    expect(other.ed25519PublicKey).not.toEqual(signer.ed25519PublicKey);
    expect(await other.verifyNote(ORIGIN, { text: TEXT, signatures })).toBe(false);
  });

  it('sign nothing any more once the keys of the tenant were wiped', async () => {
    await fixture.clock.advance(300_000);
    await expect(signer.signNote(ORIGIN, TEXT)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    await expect(signer.verifyNote(ORIGIN, { text: TEXT, signatures })).rejects.toMatchObject({
      code: 'KMS_UNAVAILABLE',
    });
  });
});
