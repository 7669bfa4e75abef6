/** The proof of a rotation, against ML-DSA by another hand and a message written out by hand. */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createId, encodeUtf8 } from '../../src/base/index.ts';
import {
  encodeRotationClaim,
  ROTATION_MODES,
  type RotationClaim,
  signRegistration,
  signRotation,
  verifyRotation,
} from '../../src/envelope/index.ts';
import { syncSuites } from './envelope-fixture.ts';

const [node] = syncSuites;
const context = encodeUtf8('sealdesk/rotate/v1');
const [oldKey, other] = [0, 1].map(() => node.importSigningKey(node.randomBytes(32)));
if (oldKey === undefined || other === undefined) throw new TypeError('There are two keys');

const claim: RotationClaim = {
  tenant_id: createId('tenant'),
  old_key_id: createId('clientKey'),
  mode: 'OVERLAP',
  kem_kid: oldKey.kid,
  sig_kid: other.kid,
  issued_at: 1_765_000_000,
};

/** The message as `docs/envelope.md` §8 has it, built without the code under test. */
const messageOf = (of: RotationClaim): Uint8Array =>
  encodeUtf8(
    `{"issued_at":${of.issued_at},"kem_kid":"${of.kem_kid}","mode":"${of.mode}","old_key_id":"${of.old_key_id}",` +
      `"sig_kid":"${of.sig_kid}","tenant_id":"${of.tenant_id}"}`,
  );

describe('the proof of a rotation', () => {
  it.each(
    syncSuites,
  )('made by the $name suite is what another implementation verifies, and the reverse', async (suite) => {
    const seed = node.randomBytes(32);
    const key = suite.importSigningKey(seed);
    const proof = await signRotation(key, claim);
    expect(ml_dsa65.verify(proof, messageOf(claim), key.publicKey, { context })).toBe(true);
    const theirs = ml_dsa65.sign(messageOf(claim), ml_dsa65.keygen(seed).secretKey, { context });
    expect(await verifyRotation(suite.importVerifyingKey(key.publicKey), claim, theirs)).toBe(true);
  });

  it('speaks of the canonical bytes of every claim', () => {
    const times = fc.integer({ min: 0, max: 253_402_300_799 });
    fc.assert(
      fc.property(times, fc.constantFrom(...ROTATION_MODES), (issued_at, mode) => {
        const varied = { ...claim, issued_at, mode };
        expect(encodeRotationClaim(varied)).toEqual(messageOf(varied));
      }),
    );
  });

  it('holds for its own claim and the old key only, and no bit of it may change', async () => {
    const proof = await signRotation(oldKey, claim);
    expect(await verifyRotation(oldKey, claim, proof)).toBe(true);
    for (const change of [
      { tenant_id: createId('tenant') },
      { old_key_id: createId('clientKey') },
      { mode: 'STRICT' as const },
      { kem_kid: other.kid },
      { sig_kid: oldKey.kid },
      { issued_at: claim.issued_at + 1 },
    ]) {
      expect(await verifyRotation(oldKey, { ...claim, ...change }, proof), JSON.stringify(change)).toBe(
        false,
      );
    }
    expect(await verifyRotation(other, claim, proof)).toBe(false);
    expect(await verifyRotation(oldKey, claim, proof.subarray(1))).toBe(false);
    await fc.assert(
      fc.asyncProperty(fc.nat(proof.length * 8 - 1), async (bit) => {
        const changed = proof.slice();
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(await verifyRotation(oldKey, claim, changed)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('is neither a registration nor anything else that the old key signs', async () => {
    const { old_key_id: _, mode: _mode, ...registration } = claim;
    expect(await verifyRotation(oldKey, claim, await signRegistration(oldKey, registration))).toBe(false);
    const elsewhere = await oldKey.sign(messageOf(claim), encodeUtf8('sealdesk/register/v1'));
    expect(await verifyRotation(oldKey, claim, elsewhere)).toBe(false);
  });

  it.each([
    ['a tenant', { tenant_id: 'x' }],
    ['an old key', { old_key_id: 'key_\0' }],
    ['a mode', { mode: 'GENTLE' }],
    ['a thumbprint', { kem_kid: 'short' }],
    ['another thumbprint', { sig_kid: '' }],
    ['a time', { issued_at: 1.5 }],
  ])('of a claim without %s is a misuse', (_what, change) => {
    const wrong = { ...claim, ...change } as RotationClaim;
    expect(() => encodeRotationClaim(wrong)).toThrow(RangeError);
  });
});
