import { describe, expect, it } from 'vitest';
import { parseBase64 } from '../../src/base/index.ts';
import {
  acceptWelcome,
  confirmClientKey,
  createKeyFile,
  EnvelopeOpenError,
  GATEWAY_LIMITS,
  GatewayAnswerError,
  openWithKeyFile,
  publicJwkSet,
  registerKeyFile,
  type WelcomedKeyFile,
} from '../../src/client/index.ts';
import { createNobleSuite } from '../../src/envelope/noble.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { API_KEY, createFakeGateway, NOW } from './fake-gateway.ts';

const suite = createNodeSuite();
const gateway = 'https://sealdesk.example/base';
const input = { gateway, apiKey: API_KEY, now: () => NOW };

describe('registering a client key', () => {
  it.each([
    createNodeSuite(),
    createNobleSuite(),
  ])('with the $name suite ends in a file that opens envelopes', async (client) => {
    const fake = createFakeGateway(suite);
    const kept: WelcomedKeyFile[] = [];
    const { keyFile, status } = await registerKeyFile(client, {
      ...input,
      fetch: fake.fetch,
      keyFile: createKeyFile(client),
      signingKid: fake.signingKid,
      keep: async (file) => void kept.push(file),
    });
    expect(status).toBe('CONFIRMED');
    expect(kept).toEqual([keyFile]);
    expect(keyFile).toMatchObject({
      tenant_id: fake.tenantId,
      key_id: fake.keyId,
      gateway: 'https://sealdesk.example',
    });
    const opened = await openWithKeyFile(client, keyFile, await fake.seal('{"a":1}'));
    expect(new TextDecoder().decode(opened.plaintext)).toBe('{"a":1}');
  });

  it('sends the API key where it is needed only, never along a redirect', async () => {
    const fake = createFakeGateway(suite);
    await registerKeyFile(suite, { ...input, fetch: fake.fetch, keyFile: createKeyFile(suite) });
    expect(fake.calls.map(({ apiKey }) => apiKey)).toEqual([API_KEY, API_KEY, null]);
    expect(new Set(fake.calls.map(({ url }) => url))).toEqual(new Set([`${gateway}/graphql`]));
    expect(new Set(fake.calls.map(({ redirect }) => redirect))).toEqual(new Set(['error']));
  });

  it.each([
    'http://sealdesk.example',
    'http://10.0.0.7:4000',
    'http://127.0.0.1.sealdesk.example',
    'http://localhost.sealdesk.example',
    'http://[::ffff:7f00:1]',
    'http://[::2]',
    'http://0.0.0.0',
  ])('sends nothing over clear http to %s unless that is allowed', async (clear) => {
    const fake = createFakeGateway(suite);
    const register = (insecureHttp?: boolean) =>
      registerKeyFile(suite, {
        ...input,
        gateway: clear,
        fetch: fake.fetch,
        keyFile: createKeyFile(suite),
        ...(insecureHttp === undefined ? {} : { insecureHttp }),
      });
    const refusal = { code: 'VALIDATION_FAILED', message: expect.stringContaining(new URL(clear).origin) };
    await expect(register()).rejects.toMatchObject(refusal);
    await expect(register(false)).rejects.toMatchObject(refusal);
    const confirming = confirmClientKey({ gateway: clear, fetch: fake.fetch, keyId: fake.keyId, mac: '' });
    await expect(confirming).rejects.toMatchObject(refusal);
    expect(fake.calls).toHaveLength(0);
    expect((await register(true)).status).toBe('CONFIRMED');
    expect(fake.calls).toHaveLength(3);
  });

  it.each([
    'http://localhost:4000',
    'http://127.0.0.1',
    'http://127.255.0.9:1',
    'http://[::1]:4000/base/',
    'https://10.0.0.7',
  ])('reaches %s as it is', async (gateway) => {
    const fake = createFakeGateway(suite);
    const { status } = await registerKeyFile(suite, {
      ...input,
      gateway,
      fetch: fake.fetch,
      keyFile: createKeyFile(suite),
    });
    expect(status).toBe('CONFIRMED');
  });

  it('never sends a private half', async () => {
    const keyFile = createKeyFile(suite);
    const fake = createFakeGateway(suite);
    const bodies: string[] = [];
    await registerKeyFile(suite, {
      ...input,
      keyFile,
      fetch: (url, init) => {
        bodies.push(String(init?.body));
        return fake.fetch(url, init);
      },
    });
    for (const { priv } of keyFile.keys) expect(bodies.join('')).not.toContain(priv);
    expect(bodies.join('')).toContain(keyFile.keys[0].pub);
  });

  it('does not confirm a welcome by another signing key than the one expected', async () => {
    const fake = createFakeGateway(suite);
    const registering = registerKeyFile(suite, {
      ...input,
      fetch: fake.fetch,
      keyFile: createKeyFile(suite),
      signingKid: createFakeGateway(suite).signingKid,
    });
    await expect(registering).rejects.toStrictEqual(new EnvelopeOpenError());
    expect(fake.calls).toHaveLength(2);
  });

  it.each([
    [
      'an error of ours',
      () => Response.json({ errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] }),
      { code: 'FORBIDDEN', message: 'No.' },
    ],
    [
      'an error that a terminal would obey',
      () =>
        Response.json({ errors: [{ message: 'a\u001b[2J\u202e\nb', extensions: { code: 'FORBIDDEN' } }] }),
      { code: 'FORBIDDEN', message: 'a\ufffd[2J\ufffd b' },
    ],
    [
      'an error without a code',
      () => Response.json({ errors: [{ message: 'Odd.' }] }),
      { name: 'GatewayAnswerError' },
    ],
    [
      'an error with a code of a prototype',
      () => Response.json({ errors: [{ message: 'Odd.', extensions: { code: 'toString' } }] }),
      { name: 'GatewayAnswerError' },
    ],
    ['errors that are no list', () => Response.json({ errors: 'all' }), { name: 'GatewayAnswerError' }],
    [
      'a page',
      () => new Response('<html>', { status: 502 }),
      { name: 'GatewayAnswerError', message: expect.stringContaining('502') },
    ],
    ['nothing', () => new Response(null, { status: 204 }), { name: 'GatewayAnswerError' }],
    ['no data', () => Response.json({ data: null }), { name: 'GatewayAnswerError' }],
    [
      'no tenant',
      () => Response.json({ data: { viewer: { tenant: null } } }),
      { name: 'GatewayAnswerError' },
    ],
    [
      'too much',
      () => new Response(' '.repeat(GATEWAY_LIMITS.maxAnswer + 1)),
      { name: 'GatewayAnswerError', message: expect.stringContaining('too long') },
    ],
  ])('fails in a named way when the gateway answers with %s', async (_name, answer, expected) => {
    const fake = createFakeGateway(suite, answer);
    const registering = registerKeyFile(suite, {
      ...input,
      fetch: fake.fetch,
      keyFile: createKeyFile(suite),
    });
    await expect(registering).rejects.toMatchObject(expected);
  });

  it('refuses an answer without a welcome', async () => {
    const fake = createFakeGateway(suite, (query) =>
      query.includes('registerClientKey') ? Response.json({ data: { registerClientKey: {} } }) : undefined,
    );
    const registering = registerKeyFile(suite, {
      ...input,
      fetch: fake.fetch,
      keyFile: createKeyFile(suite),
    });
    await expect(registering).rejects.toStrictEqual(new EnvelopeOpenError());
  });

  it('stops when its signal is aborted', async () => {
    const fake = createFakeGateway(suite);
    const controller = new AbortController();
    const registering = registerKeyFile(suite, {
      ...input,
      keyFile: createKeyFile(suite),
      signal: controller.signal,
      fetch: async (url, init) => {
        controller.abort();
        init?.signal?.throwIfAborted();
        return fake.fetch(url, init);
      },
    });
    await expect(registering).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('accepting a welcome that was handed over', () => {
  it('needs no network, and gives the confirmation to send', async () => {
    const fake = createFakeGateway(suite);
    const fresh = createKeyFile(suite);
    const accepted = await acceptWelcome(suite, fresh, await fake.welcome(publicJwkSet(suite, fresh)));
    expect(fake.calls).toHaveLength(0);
    expect(parseBase64(accepted.keyFile.mac_key)).toEqual(fake.macKey);
    const confirmed = await confirmClientKey({
      gateway,
      fetch: fake.fetch,
      keyId: accepted.keyFile.key_id,
      mac: accepted.confirmationMac,
    });
    expect(confirmed).toBe('CONFIRMED');
  });

  it('refuses the welcome of another key, tenant or signing key', async () => {
    const fake = createFakeGateway(suite);
    const fresh = createKeyFile(suite);
    const welcome = await fake.welcome(publicJwkSet(suite, fresh));
    const other = createFakeGateway(suite);
    const refusal = new EnvelopeOpenError();
    await expect(acceptWelcome(suite, createKeyFile(suite), welcome)).rejects.toStrictEqual(refusal);
    await expect(acceptWelcome(suite, fresh, welcome, { tenantId: other.tenantId })).rejects.toStrictEqual(
      refusal,
    );
    await expect(
      acceptWelcome(suite, fresh, welcome, { signingKid: other.signingKid }),
    ).rejects.toStrictEqual(refusal);
  });

  it('again is fine from the same gateway, refused from another or under another id', async () => {
    const fake = createFakeGateway(suite);
    const fresh = createKeyFile(suite);
    const jwks = publicJwkSet(suite, fresh);
    const { keyFile } = await acceptWelcome(suite, fresh, await fake.welcome(jwks));
    const again = await acceptWelcome(suite, keyFile, await fake.welcome(jwks));
    expect(again.keyFile).toEqual(keyFile);
    const impostor = createFakeGateway(suite);
    await expect(acceptWelcome(suite, keyFile, await impostor.welcome(jwks))).rejects.toStrictEqual(
      new EnvelopeOpenError(),
    );
    const renamed = acceptWelcome(suite, keyFile, await fake.welcome(jwks, impostor.keyId));
    await expect(renamed).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it.each([
    null,
    { clientKey: { status: 'CONFIRMED)\nTrusts       signing key' } },
    { clientKey: { status: '\u001b[2J' } },
  ])('fails where the gateway gives no status: %j', async (confirmClientKeyAnswer) => {
    const data = { confirmClientKey: confirmClientKeyAnswer };
    const fake = createFakeGateway(suite, () => Response.json({ data }));
    const confirming = confirmClientKey({ gateway, fetch: fake.fetch, keyId: fake.keyId, mac: '' });
    await expect(confirming).rejects.toBeInstanceOf(GatewayAnswerError);
  });
});
