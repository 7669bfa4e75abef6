import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeHex, encodeUtf8 } from '../../src/base/index.ts';
import { hkdfExpandSha512, hkdfExtractSha512, isEncapsulationKey } from '../../src/envelope/index.ts';
import { isNodeSuiteSupported } from '../../src/envelope/node.ts';
import { isWebCryptoSuiteSupported } from '../../src/envelope/webcrypto.ts';
import { suitePairs, suites, syncSuites } from './envelope-fixture.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('raw primitives', () => {
  it('are all there under the Node that runs the tests', async () => {
    expect(isNodeSuiteSupported()).toBe(true);
    expect(await isWebCryptoSuiteSupported()).toBe(true);
  });

  it.each(
    suites,
  )('the $name suite makes the public keys that FIPS 203 and 204 derive from a seed', async (suite) => {
    await fc.assert(
      fc.asyncProperty(bytes(64), bytes(32), async (kemSeed, sigSeed) => {
        const kem = await suite.importKemPrivateKey(kemSeed);
        const sig = await suite.importSigningKey(sigSeed);
        expect(kem.publicKey).toEqual(ml_kem768.keygen(kemSeed).publicKey);
        expect(sig.publicKey).toEqual(ml_dsa65.keygen(sigSeed).publicKey);
      }),
      { numRuns: 10 },
    );
  });

  it.each(suitePairs)('%s and %s agree on every derived value', async (_a, _b, first, second) => {
    await fc.assert(
      fc.asyncProperty(
        bytes(64),
        bytes(32),
        fc.uint8Array({ maxLength: 300 }), // the empty one too: an empty HMAC key, no message
        async (key64, key32, data) => {
          const nonce = key64.subarray(0, 12);
          expect(await first.sha256(data)).toEqual(await second.sha256(data));
          expect(await first.hmacSha512(data, key32)).toEqual(await second.hmacSha512(data, key32));
          const macKey = await first.importMacKey(key64);
          expect(await macKey.mac(data)).toEqual(await second.hmacSha512(key64, data));
          const length = 1 + data.length;
          const outputs = [
            { info: data, length },
            { info: key32, length: 12 },
          ];
          expect(await first.hkdfSha512(key32, key64, outputs)).toEqual(
            await second.hkdfSha512(key32, key64, outputs),
          );
          const sealed = await first.sealAes256Gcm(key32, nonce, key64, data);
          expect(await second.openAes256Gcm(key32, nonce, key64, sealed)).toEqual(new Uint8Array(data));
          expect(await second.openAes256Gcm(key32, nonce, data, sealed)).toBeNull();
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(
    suitePairs,
  )('%s encapsulates what %s decapsulates, by implicit rejection too', async (_a, _b, first, second) => {
    const seed = first.randomBytes(64);
    const decapsulator = await second.importKemPrivateKey(seed);
    const recipient = await first.importKemPublicKey(decapsulator.publicKey);
    const { ciphertext, sharedSecret } = await recipient.encapsulate();
    expect(recipient.kid).toBe(decapsulator.kid);
    expect(await decapsulator.decapsulate(ciphertext)).toEqual(sharedSecret);
    ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
    const rejected = await decapsulator.decapsulate(ciphertext);
    expect(rejected).not.toEqual(sharedSecret);
    const same = await first.importKemPrivateKey(seed);
    expect(await same.decapsulate(ciphertext)).toEqual(rejected);
  });

  it.each(
    suitePairs,
  )('%s signs what %s verifies, under this context and message only', async (_a, _b, first, second) => {
    const signer = await first.importSigningKey(first.randomBytes(32));
    const verifier = await second.importVerifyingKey(signer.publicKey);
    const [message, context] = [encodeUtf8('message'), encodeUtf8('context')];
    const signature = await signer.sign(message, context);
    expect(verifier.kid).toBe(signer.kid);
    expect(await verifier.verify(message, signature, context)).toBe(true);
    expect(await verifier.verify(message, signature, encodeUtf8('contexT'))).toBe(false);
    expect(await verifier.verify(message, signature, new Uint8Array(0))).toBe(false);
    expect(await verifier.verify(encodeUtf8('messagE'), signature, context)).toBe(false);
    expect(await verifier.verify(message, signature.subarray(1), context)).toBe(false);
    expect(await verifier.verify(message, new Uint8Array(0), context)).toBe(false);
  });

  it.each(
    suites,
  )('the $name suite signs hedged: twice the same message gives two signatures', async (suite) => {
    const signer = await suite.importSigningKey(suite.randomBytes(32));
    const message = encodeUtf8('message');
    expect(await signer.sign(message, message)).not.toEqual(await signer.sign(message, message));
  });

  it.each(suites)('the $name suite keeps its own copy of a seed', async (suite) => {
    const seed = suite.randomBytes(64);
    const macBytes = suite.randomBytes(64);
    const recipient = await suite.importKemPrivateKey(seed);
    const macKey = await suite.importMacKey(macBytes);
    const before = await macKey.mac(Uint8Array.of(1));
    const { ciphertext, sharedSecret } = await recipient.encapsulate();
    seed.fill(0);
    macBytes.fill(0);
    expect(await recipient.decapsulate(ciphertext)).toEqual(sharedSecret);
    expect(await macKey.mac(Uint8Array.of(1))).toEqual(before);
  });

  it.each(suites)('the $name suite calls a wrong size a misuse', async (suite) => {
    const short = new Uint8Array(11);
    const key = new Uint8Array(32);
    const nonce = new Uint8Array(12);
    const recipient = await suite.importKemPrivateKey(suite.randomBytes(64));
    const misuses: readonly (() => unknown)[] = [
      () => suite.importKemPublicKey(short),
      () => suite.importKemPrivateKey(short),
      () => suite.importVerifyingKey(short),
      () => suite.importSigningKey(short),
      () => suite.importMacKey(short),
      () => suite.sealAes256Gcm(short, nonce, short, short),
      () => suite.sealAes256Gcm(key, short, short, short),
      () => suite.openAes256Gcm(short, nonce, short, new Uint8Array(16)),
      () => suite.openAes256Gcm(key, short, short, new Uint8Array(16)),
      () => suite.hkdfSha512(key, key, [{ info: key, length: 0 }]),
      () => suite.hkdfSha512(key, key, [{ info: key, length: 255 * 64 + 1 }]),
      () => recipient.decapsulate(short),
    ];
    for (const misuse of misuses) await expect((async () => misuse())()).rejects.toThrow(RangeError);
  });

  it.each(suites)('the $name suite refuses a key that FIPS 203 §7.2 refuses', async (suite) => {
    const { publicKey } = await suite.importKemPrivateKey(suite.randomBytes(64));
    publicKey.set([0xff, 0xff]);
    await expect((async () => suite.importKemPublicKey(publicKey))()).rejects.toThrow(RangeError);
  });
});

describe('the check of FIPS 203 §7.2', () => {
  it('accepts exactly the keys whose 768 coefficients are below 3329', () => {
    const [node] = syncSuites;
    const { publicKey } = node.importKemPrivateKey(node.randomBytes(64));
    fc.assert(
      fc.property(fc.nat(767), fc.nat(4095), (index, value) => {
        const key = new Uint8Array(publicKey);
        const offset = Math.floor(index / 2) * 3;
        const [low = 0, middle = 0, high = 0] = key.subarray(offset, offset + 3);
        key.set(
          index % 2 === 0
            ? [value & 0xff, (middle & 0xf0) | (value >> 8), high]
            : [low, (middle & 0x0f) | ((value & 0x0f) << 4), value >> 4],
          offset,
        );
        expect(isEncapsulationKey(key)).toBe(value < 3329);
      }),
      {
        numRuns: 2000,
        examples: [
          [0, 3328],
          [0, 3329],
          [767, 3328],
          [767, 3329],
        ],
      },
    );
  });

  it('leaves the last 32 bytes alone and minds the size', () => {
    expect(isEncapsulationKey(new Uint8Array(1184).fill(0xff, 1152))).toBe(true);
    expect(isEncapsulationKey(new Uint8Array(1183))).toBe(false);
    expect(isEncapsulationKey(new Uint8Array(1185))).toBe(false);
  });
});

describe('HKDF with SHA-512', () => {
  // The inputs of RFC 5869 A.1, under SHA-512.
  const salt = Uint8Array.from({ length: 13 }, (_, index) => index);
  const ikm = new Uint8Array(22).fill(0x0b);
  const info = Uint8Array.from({ length: 10 }, (_, index) => 0xf0 + index);
  const published = '832390086cda71fb47625bb5ceb168e4c8e26a1a16ed34d9fc7fe92c1481579338da362cb8d9f925d7cb';

  it.each(syncSuites)('in two steps over the $name suite gives the published values', (suite) => {
    const prk = hkdfExtractSha512(suite, salt, ikm);
    expect(encodeHex(hkdfExpandSha512(suite, prk, info, 42))).toBe(published);
  });

  it.each(suites)('by the $name suite gives the published values', async (suite) => {
    const derived = await suite.hkdfSha512(salt, ikm, [{ info, length: 42 }]);
    expect(derived.map(encodeHex)).toEqual([published]);
  });

  it('expands across blocks and refuses lengths that RFC 5869 has not', () => {
    const [suite] = syncSuites;
    const long = hkdfExpandSha512(suite, new Uint8Array(64), new Uint8Array(0), 255 * 64);
    expect(hkdfExpandSha512(suite, new Uint8Array(64), new Uint8Array(0), 65)).toEqual(long.slice(0, 65));
    for (const length of [0, -1, 1.5, 255 * 64 + 1]) {
      expect(() => hkdfExpandSha512(suite, new Uint8Array(64), new Uint8Array(0), length)).toThrow(
        RangeError,
      );
    }
  });
});
