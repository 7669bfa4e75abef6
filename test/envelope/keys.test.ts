import { describe, expect, it } from 'vitest';
import { createId, isSealdeskError } from '../../src/base/index.ts';
import {
  createClientJwks,
  encodeConfirmationClaim,
  encodeRegistrationClaim,
  extendPins,
  isValidAt,
  macConfirmation,
  parsePrivateJwkSet,
  parsePrivateJwks,
  parsePublicJwkSet,
  type SigningKey,
  type SigningKeyInfo,
  signRegistration,
  signTransition,
  verifyConfirmation,
  verifyRegistration,
  verifyTransition,
} from '../../src/envelope/index.ts';
import { syncSuites } from './envelope-fixture.ts';

const [node] = syncSuites;
const tenantId = createId('tenant');

function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isSealdeskError(error, 'VALIDATION_FAILED')) return error.details.fields?.[0]?.path ?? '';
    throw error;
  }
  return 'none';
}

describe('a private JWK Set', () => {
  const [kem, sig] = createClientJwks(node);
  const [otherKem, otherSig] = createClientJwks(node);

  it.each(syncSuites)('made by one suite is read by the $name suite, in either order', (suite) => {
    for (const keys of [
      [kem, sig],
      [sig, kem],
    ]) {
      const read = parsePrivateJwkSet(suite, { keys });
      expect([read.kem.kid, read.sig.kid]).toEqual([kem.kid, sig.kid]);
      expect(parsePrivateJwks(suite, { keys })).toEqual([kem, sig]);
    }
  });

  it.each([
    ['a public half of another seed (ML-KEM)', [{ ...kem, priv: otherKem.priv }, sig], 'keys[0].priv'],
    ['a public half of another seed (ML-DSA)', [kem, { ...sig, priv: otherSig.priv }], 'keys[1].priv'],
    ['a seed that is short', [{ ...kem, priv: kem.priv.slice(1) }, sig], 'keys[0].priv'],
    ['a seed of the other algorithm', [{ ...kem, priv: sig.priv }, sig], 'keys[0].priv'],
    ['a kid of another key', [{ ...kem, kid: otherKem.kid }, sig], 'keys[0].kid'],
    ['no seed', [{ kty: kem.kty, alg: kem.alg, pub: kem.pub }, sig], 'keys[0]'],
    ['an unknown member', [kem, { ...sig, use: 'sig' }], 'keys[1]'],
    ['two of a kind', [kem, otherKem], 'keys'],
  ])('with %s is refused, naming the place', (_name, keys, path) => {
    expect(refusalOf(() => parsePrivateJwkSet(node, { keys }))).toBe(path);
  });

  it('is never accepted as a public one, and the refusal holds no key material', () => {
    for (const keys of [
      [kem, sig],
      [sig, { ...kem }],
    ]) {
      expect(() => parsePublicJwkSet(node, { keys })).toThrowError(
        expect.objectContaining({ message: expect.not.stringContaining(kem.priv) }),
      );
      expect(refusalOf(() => parsePublicJwkSet(node, { keys }))).toBe('keys[0]');
    }
  });
});

describe('a registration', () => {
  const keys = parsePrivateJwkSet(node, { keys: createClientJwks(node) });
  const claim = {
    tenant_id: tenantId,
    kem_kid: keys.kem.kid,
    sig_kid: keys.sig.kid,
    issued_at: 1_765_000_000,
  };

  it('holds for its own claim and key only', async () => {
    const proof = await signRegistration(keys.sig, claim);
    expect(await verifyRegistration(keys.sig, claim, proof)).toBe(true);
    const other = parsePrivateJwkSet(node, { keys: createClientJwks(node) });
    for (const change of [
      { tenant_id: createId('tenant') },
      { kem_kid: other.kem.kid },
      { sig_kid: other.sig.kid },
      { issued_at: claim.issued_at + 1 },
    ]) {
      expect(await verifyRegistration(keys.sig, { ...claim, ...change }, proof)).toBe(false);
    }
    expect(await verifyRegistration(other.sig, claim, proof)).toBe(false);
    expect(await verifyRegistration(keys.sig, claim, proof.subarray(1))).toBe(false);
    expect(await verifyRegistration(keys.sig, claim, proof.fill(proof[9] === 0 ? 1 : 0, 9, 10))).toBe(false);
  });

  it('by a key that the claim does not name is none, though the signature is good', async () => {
    const wrong = { ...claim, sig_kid: keys.kem.kid };
    const proof = await signRegistration(keys.sig, wrong);
    expect(await verifyRegistration(keys.sig, wrong, proof)).toBe(false);
  });

  it('is not the signature of another context', async () => {
    const message = encodeRegistrationClaim(claim);
    const proof = await keys.sig.sign(message, new TextEncoder().encode('sealdesk/envelope/v1'));
    expect(await verifyRegistration(keys.sig, claim, proof)).toBe(false);
  });

  it('confirmation holds for its own claim and MAC key only', async () => {
    const macKey = node.importMacKey(node.randomBytes(64));
    const { issued_at, ...kids } = claim;
    const confirmation = { ...kids, key_id: createId('clientKey') };
    const mac = await macConfirmation(macKey, confirmation);
    expect(issued_at).toBeGreaterThan(0);
    expect(await verifyConfirmation(macKey, confirmation, mac)).toBe(true);
    expect(await verifyConfirmation(macKey, { ...confirmation, key_id: createId('clientKey') }, mac)).toBe(
      false,
    );
    expect(await verifyConfirmation(macKey, { ...confirmation, kem_kid: claim.sig_kid }, mac)).toBe(false);
    expect(await verifyConfirmation(macKey, confirmation, mac.subarray(1))).toBe(false);
    expect(await verifyConfirmation(node.importMacKey(node.randomBytes(64)), confirmation, mac)).toBe(false);
  });

  it('of what is no claim is a misuse', () => {
    expect(() => encodeRegistrationClaim({ ...claim, tenant_id: 'x' })).toThrow(RangeError);
    expect(() => encodeRegistrationClaim({ ...claim, issued_at: 1.5 })).toThrow(RangeError);
    expect(() => encodeConfirmationClaim({ ...claim, key_id: 'key_\0' })).toThrow(RangeError);
  });
});

describe('the chain of signing keys', () => {
  const signers = Array.from({ length: 4 }, () => node.importSigningKey(node.randomBytes(32)));
  const info = (key: SigningKey, rest: Partial<SigningKeyInfo> = {}): SigningKeyInfo => ({
    kid: key.kid,
    publicKey: key.publicKey,
    status: 'ACTIVE',
    notBefore: null,
    notAfter: null,
    ...rest,
  });
  const [first, second, third, stranger] = signers as [SigningKey, SigningKey, SigningKey, SigningKey];
  const step = (from: SigningKey, to: SigningKey, notBefore = 100) =>
    signTransition(from, { tenantId, toKid: to.kid, notBefore });

  it('reaches successors of successors, in whatever order the steps are listed', async () => {
    const document = {
      keys: [info(third), info(second), info(first), info(stranger)],
      transitions: [await step(second, third, 200), await step(stranger, third), await step(first, second)],
    };
    const pins = await extendPins(node, { tenantId, pins: [info(first)], document });
    expect(pins.map(({ kid }) => kid)).toEqual([first.kid, second.kid, third.kid]);
    expect(pins.map(({ notBefore }) => notBefore)).toEqual([null, 100, 200]);
  });

  it('takes trust away from a pin, and never gives a pin more', async () => {
    const pin = info(first, { notAfter: 500 });
    const narrowed = async (rest: Partial<SigningKeyInfo>) =>
      (
        await extendPins(node, {
          tenantId,
          pins: [pin],
          document: { keys: [info(first, rest)], transitions: [] },
        })
      )[0];
    expect(await narrowed({ notAfter: 400 })).toMatchObject({ notAfter: 400 });
    expect(await narrowed({ notAfter: 600 })).toMatchObject({ notAfter: 500 });
    expect(await narrowed({ notAfter: null })).toMatchObject({ notAfter: 500 });
    expect(await narrowed({ status: 'REVOKED' })).toMatchObject({ status: 'REVOKED' });
    const revoked = info(first, { status: 'REVOKED' });
    const document = { keys: [info(first), info(second)], transitions: [await step(first, second)] };
    expect(await extendPins(node, { tenantId, pins: [revoked], document })).toEqual([revoked]);
  });

  it('lets those that were trusted first give way beyond the keys that a client keeps', async () => {
    const many = Array.from({ length: 16 }, () => node.importSigningKey(node.randomBytes(32)));
    const document = {
      keys: many.map((key) => info(key)),
      transitions: await Promise.all(many.map((key) => step(first, key))),
    };
    const grown = await extendPins(node, { tenantId, pins: [info(first)], document });
    expect(grown.map(({ kid }) => kid)).toEqual(many.map(({ kid }) => kid));
  });

  it('has no step that was signed for another tenant or names another key', async () => {
    const transition = await step(first, second);
    expect(await verifyTransition(first, tenantId, transition)).toBe(true);
    expect(await verifyTransition(first, createId('tenant'), transition)).toBe(false);
    expect(await verifyTransition(second, tenantId, transition)).toBe(false);
    expect(await verifyTransition(first, tenantId, { ...transition, signature: 'AAAA' })).toBe(false);
    expect(await verifyTransition(first, tenantId, { ...transition, signature: '!' })).toBe(false);
  });

  it.each([
    [{}, 0, true],
    [{ notBefore: 10 }, 9, false],
    [{ notBefore: 10 }, 10, true],
    [{ notAfter: 10 }, 10, true],
    [{ notAfter: 10 }, 11, false],
    [{ status: 'RETIRED' }, 5, true],
    [{ status: 'PENDING' }, 5, true],
    [{ status: 'REVOKED' }, 5, false],
  ] as const)('counts a signature of a key with %j at %i: %s', (rest, at, expected) => {
    expect(isValidAt(info(first, rest), at)).toBe(expected);
  });
});
