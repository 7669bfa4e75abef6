import { describe, expect, it } from 'vitest';
import {
  acceptWelcome,
  type ClientKey,
  clientKeyFromFile,
  confirmKey,
  createKeyFile,
  EnvelopeOpenError,
  encodeKeyFile,
  fingerprint,
  generateClientKey,
  isNonExtractable,
  openEnvelope,
  parseKeyFileText,
  publicJwkSet,
  registerClientKey,
  type WelcomedClientKey,
  welcomeClientKey,
  withPins,
} from '../../src/client/index.ts';
import { parsePublicJwkSet } from '../../src/envelope/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { API_KEY, createFakeGateway, NOW } from './fake-gateway.ts';

const suite = createNodeSuite();
const url = 'https://sealdesk.example';

const keep = (): void => {};

async function plaintextOf(key: WelcomedClientKey, envelope: unknown): Promise<string> {
  return new TextDecoder().decode((await openEnvelope(key, envelope)).plaintext);
}

describe('a generated client key', () => {
  it('cannot be read, and tells its public half, thumbprints and fingerprint', async () => {
    const key = await generateClientKey();
    expect(isNonExtractable(key)).toBe(true);
    for (const half of [key.kem, key.sig]) {
      for (const format of ['raw-seed', 'jwk', 'pkcs8'] as const) {
        await expect(crypto.subtle.exportKey(format as 'pkcs8', half as CryptoKey)).rejects.toThrow();
      }
    }
    const { kem, sig } = parsePublicJwkSet(suite, key.jwks);
    expect(key.jwks.keys.map(({ kid }) => kid)).toEqual([kem.kid, sig.kid]);
    expect(key.fingerprint).toBe(fingerprint(suite, { kem: kem.kid, sig: sig.kid }));
  });

  it('is another each time', async () => {
    const keys = await Promise.all([generateClientKey(), generateClientKey()]);
    expect(new Set(keys.map((key) => key.fingerprint)).size).toBe(2);
  });

  it('is registered, confirmed, and opens envelopes, also after a structured clone', async () => {
    const fake = createFakeGateway(suite);
    const kept: WelcomedClientKey[] = [];
    const { clientKey, status } = await registerClientKey(await generateClientKey(), {
      url,
      apiKey: API_KEY,
      fetch: fake.fetch,
      now: () => NOW,
      signingKid: fake.signingKid,
      keep: (key) => kept.push(key),
    });
    expect(status).toBe('CONFIRMED');
    expect(kept).toEqual([clientKey]);
    expect(clientKey).toMatchObject({ state: 'WELCOMED', keyId: fake.keyId, tenantId: fake.tenantId });
    expect((clientKey.macKey as CryptoKey).extractable).toBe(false);
    const clone = structuredClone(clientKey);
    for (const key of [clientKey, clone]) {
      expect(await plaintextOf(key, await fake.seal('{"a":1}'))).toBe('{"a":1}');
    }
    expect(await confirmKey(clone, { url, fetch: fake.fetch })).toBe('CONFIRMED');
    expect(fake.calls.map(({ apiKey }) => apiKey)).toEqual([API_KEY, API_KEY, null, null]);
  });

  it('is kept before it is confirmed', async () => {
    const fake = createFakeGateway(suite, (query) =>
      query.includes('confirmClientKey') ? new Response('', { status: 502 }) : undefined,
    );
    const kept: WelcomedClientKey[] = [];
    const registering = registerClientKey(await generateClientKey(), {
      url,
      apiKey: API_KEY,
      fetch: fake.fetch,
      keep: (key) => kept.push(key),
    });
    await expect(registering).rejects.toThrow('502');
    expect(kept).toHaveLength(1);
  });

  it('takes a welcome that was handed over, again from the same gateway only', async () => {
    const fake = createFakeGateway(suite);
    const impostor = createFakeGateway(suite);
    const fresh = await generateClientKey();
    const { clientKey } = await welcomeClientKey(fresh, await fake.welcome(fresh.jwks));
    await expect(welcomeClientKey(clientKey, await fake.welcome(fresh.jwks))).resolves.toBeDefined();
    const refusal = new EnvelopeOpenError();
    await expect(welcomeClientKey(clientKey, await impostor.welcome(fresh.jwks))).rejects.toStrictEqual(
      refusal,
    );
    const renamed = welcomeClientKey(clientKey, await fake.welcome(fresh.jwks, impostor.keyId));
    await expect(renamed).rejects.toMatchObject({ code: 'CONFLICT' });
    const another = await generateClientKey();
    await expect(welcomeClientKey(another, await fake.welcome(fresh.jwks))).rejects.toStrictEqual(refusal);
  });
});

describe('a client key from a key file', () => {
  async function welcomed() {
    const fake = createFakeGateway(suite);
    const fresh = createKeyFile(suite);
    const { keyFile } = await acceptWelcome(suite, fresh, await fake.welcome(publicJwkSet(suite, fresh)));
    return { fake, keyFile };
  }

  it('opens what the file opens, and cannot be read', async () => {
    const { fake, keyFile } = await welcomed();
    const key = (await clientKeyFromFile(encodeKeyFile(keyFile))) as WelcomedClientKey;
    expect(isNonExtractable(key)).toBe(true);
    expect(key.jwks).toEqual(publicJwkSet(suite, keyFile));
    expect(key).toMatchObject({
      keyId: keyFile.key_id,
      tenantId: keyFile.tenant_id,
      gateway: keyFile.gateway,
    });
    expect(await plaintextOf(key, await fake.seal('{}'))).toBe('{}');
    expect(encodeKeyFile(withPins(keyFile, key.signingKeys))).toBe(encodeKeyFile(keyFile));
  });

  it('that is fresh can be registered', async () => {
    const fake = createFakeGateway(suite);
    const key: ClientKey = await clientKeyFromFile(encodeKeyFile(createKeyFile(suite)));
    expect(key.state).toBe('FRESH');
    const { status } = await registerClientKey(key, { url, apiKey: API_KEY, fetch: fake.fetch, keep });
    expect(status).toBe('CONFIRMED');
  });

  it('is refused wherever the file is', async () => {
    const { keyFile } = await welcomed();
    const other = createKeyFile(suite);
    const [kem, sig] = keyFile.keys;
    const files: unknown[] = [
      null,
      {},
      { ...keyFile, version: 2 },
      { ...keyFile, keys: [{ ...kem, priv: other.keys[0].priv }, sig] },
      { ...keyFile, keys: [kem, { ...sig, pub: other.keys[1].pub, kid: other.keys[1].kid }] },
      { ...keyFile, keys: [kem, { ...sig, kid: other.keys[1].kid }] },
      { ...keyFile, keys: [kem] },
      { ...keyFile, mac_key: 'AAAA' },
      { ...keyFile, signing_keys: [] },
      { ...keyFile, signing_keys: keyFile.signing_keys.map((key) => ({ ...key, kid: 'A'.repeat(43) })) },
      { ...keyFile, gateway: 'javascript:alert(1)' },
    ];
    for (const file of files) {
      const text = JSON.stringify(file);
      expect(() => parseKeyFileText(suite, text)).toThrow(
        expect.objectContaining({ code: 'VALIDATION_FAILED' }),
      );
      await expect(clientKeyFromFile(text)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    }
    await expect(clientKeyFromFile('{"secret')).rejects.not.toThrow(/secret/);
  });
});
