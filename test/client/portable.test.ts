/** A platform without ML-KEM and ML-DSA: everything works by the portable suite, loaded for it. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { API_KEY, createFakeGateway } from './fake-gateway.ts';

const platform = crypto;

/** The platform's Web Crypto with some methods replaced. */
function stubSubtle(replaced: Partial<Record<keyof SubtleCrypto | 'decapsulateBits', unknown>> | null): void {
  const subtle =
    replaced === null
      ? undefined
      : new Proxy(platform.subtle, {
          get(target, name) {
            if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
            const method: unknown = Reflect.get(target, name);
            return typeof method === 'function' ? method.bind(target) : method;
          },
        });
  vi.stubGlobal('crypto', { subtle, getRandomValues: platform.getRandomValues.bind(platform) });
  vi.resetModules();
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

const refuse = () => Promise.reject(new DOMException('no such algorithm', 'NotSupportedError'));

const withoutContext = (params: { name: string; hash?: unknown }) =>
  params.hash === undefined && params.name === 'ML-DSA-65' ? { name: params.name } : params;

const lacking: [string, Parameters<typeof stubSubtle>[0]][] = [
  ['no secure context', null],
  ['no such keys', { importKey: refuse }],
  ['no decapsulation', { decapsulateBits: refuse }],
  ['another decapsulation', { decapsulateBits: async () => new Uint8Array(32).buffer }],
  [
    'signatures without context',
    {
      sign: (params: never, key: never, data: never) =>
        platform.subtle.sign(withoutContext(params), key, data),
      verify: (params: never, key: never, signature: never, data: never) =>
        platform.subtle.verify(withoutContext(params), key, signature, data),
    },
  ],
];

describe('a platform with', () => {
  it.each(lacking)('%s does not count as one that has the algorithms', async (_name, replaced) => {
    stubSubtle(replaced);
    const { isWebCryptoSuiteSupported } = await import('../../src/envelope/webcrypto.ts');
    expect(await isWebCryptoSuiteSupported()).toBe(false);
  });

  it('no secure context makes keys from seeds, registers them and opens envelopes', async () => {
    const fake = createFakeGateway(createNodeSuite());
    stubSubtle(null);
    const { generateClientKey, isNonExtractable, openEnvelope, registerClientKey } = await import(
      '../../src/client/index.ts'
    );
    const fresh = await generateClientKey();
    expect(isNonExtractable(fresh)).toBe(false);
    expect([fresh.kem, fresh.sig].map((seed) => (seed as Uint8Array).length)).toEqual([64, 32]);
    const { clientKey } = await registerClientKey(structuredClone(fresh), {
      url: 'https://sealdesk.example',
      apiKey: API_KEY,
      fetch: fake.fetch,
      keep: () => {},
    });
    const { plaintext } = await openEnvelope(structuredClone(clientKey), await fake.seal('{}'));
    expect(new TextDecoder().decode(plaintext)).toBe('{}');
  });

  it('the algorithms opens with a key that was made without them', async () => {
    const fake = createFakeGateway(createNodeSuite());
    stubSubtle(null);
    const old = await import('../../src/client/index.ts');
    const { clientKey } = await old.registerClientKey(await old.generateClientKey(), {
      url: 'https://sealdesk.example',
      apiKey: API_KEY,
      fetch: fake.fetch,
      keep: () => {},
    });
    vi.unstubAllGlobals();
    vi.resetModules();
    const { openEnvelope } = await import('../../src/client/index.ts');
    const opened = await openEnvelope(clientKey, await fake.seal('{}'));
    expect(opened.header.recipient_key_id).toBe(clientKey.keyId);
  });
});
