import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createClient,
  EnvelopeOpenError,
  openEnvelope,
  PIN_LIMITS,
  type PinningOptions,
  sealedFetch,
  type WelcomedClientKey,
} from '../../src/client/index.ts';
import { PinnedOpener } from '../../src/client/pinned-opener.ts';
import { type SigningKeyDocument, signTransition } from '../../src/envelope/index.ts';
import {
  createSealingGateway,
  createSigner,
  describeSigner,
  documentOf,
  PLAINTEXT,
  type SealingGateway,
  URL_OF_GATEWAY,
} from './sealing-gateway.ts';

const refusal = new EnvelopeOpenError();

let gateway: SealingGateway;
let kept: WelcomedClientKey[];
let now: number;

beforeEach(async () => {
  gateway = await createSealingGateway();
  kept = [];
  now = 1_000_000;
});

/** A client of the gateway that posts one query a call. */
function openClient(key: WelcomedClientKey = gateway.clientKey, options: PinningOptions = {}) {
  const fetch = sealedFetch(key, {
    fetch: gateway.fetch,
    onPins: (changed) => kept.push(changed),
    now: () => now,
    ...options,
  });
  return async () =>
    (await fetch(`${URL_OF_GATEWAY}/graphql`, { method: 'POST', body: '{"query":"{ a }"}' })).text();
}

const kidsOf = (key: WelcomedClientKey | undefined) => key?.signingKeys.map(({ kid }) => kid);

describe('a gateway that signs with a new key', () => {
  it('is followed by the chain from the pin, and the new pins are handed over to be kept', async () => {
    const { fake } = gateway;
    const [second, third] = [createSigner(), createSigner()];
    gateway.document = await documentOf(fake.tenantId, fake.signingKey, second, third);
    gateway.signer = third;
    const ask = openClient();
    expect(await ask()).toBe(PLAINTEXT);
    expect(await ask()).toBe(PLAINTEXT);
    expect(gateway.documentsRead).toBe(1);
    expect(kept.map(kidsOf)).toEqual([[fake.signingKid, second.kid, third.kid]]);
    const [key] = kept as [WelcomedClientKey];
    expect(await openClient(structuredClone(key))()).toBe(PLAINTEXT);
    const envelope = await gateway.seal(gateway.received[0] as never, '{}');
    await expect(openEnvelope(key, envelope)).resolves.toMatchObject({ header: { signing_kid: third.kid } });
    await expect(openEnvelope(gateway.clientKey, envelope)).rejects.toStrictEqual(refusal);
    expect(gateway.documentsRead).toBe(1);
  });

  it('is followed with one reading, however many answers wait for it', async () => {
    const next = createSigner();
    gateway.document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, next);
    gateway.signer = next;
    const ask = openClient();
    expect(await Promise.all(Array.from({ length: 8 }, ask))).toEqual(Array(8).fill(PLAINTEXT));
    expect([gateway.documentsRead, kept.length]).toEqual([1, 1]);
  });

  it('is followed by an answer whose reading began before another brought the pins', async () => {
    const next = createSigner();
    gateway.document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, next);
    gateway.signer = next;
    const { promise: broughtPins, resolve: noteBrought } = Promise.withResolvers<void>();
    const verify = crypto.subtle.verify.bind(crypto.subtle);
    const spy = vi.spyOn(crypto.subtle, 'verify').mockImplementationOnce(async (...input) => {
      await broughtPins;
      return verify(...input);
    });
    try {
      const ask = openClient(gateway.clientKey, { onPins: () => noteBrought() });
      expect(await Promise.all([ask(), ask()])).toEqual([PLAINTEXT, PLAINTEXT]);
      expect(gateway.documentsRead).toBe(1);
    } finally {
      spy.mockRestore();
    }
  });

  it('is followed by handed over envelopes, too', async () => {
    const next = createSigner();
    gateway.document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, next);
    gateway.signer = next;
    const client = createClient({ url: URL_OF_GATEWAY, clientKey: gateway.clientKey, fetch: gateway.fetch });
    const envelope = await gateway.fake.seal('{"a":1}', {}, next);
    expect((await client.encryption.decrypt(envelope)).data).toEqual({ a: 1 });
  });

  const forged: [string, () => Promise<SigningKeyDocument>][] = [
    [
      'no transition leads to it',
      async () => ({
        keys: [describeSigner(gateway.fake.signingKey), describeSigner(gateway.signer)],
        transitions: [],
      }),
    ],
    [
      'the transition is signed by a stranger in the name of the pin',
      async () => {
        const stranger = createSigner();
        const { keys, transitions } = await documentOf(gateway.fake.tenantId, stranger, gateway.signer);
        const forgery = transitions.map((step) => ({ ...step, from_kid: gateway.fake.signingKid }));
        return { keys: [describeSigner(gateway.fake.signingKey), ...keys], transitions: forgery };
      },
    ],
    [
      'the chain starts at a stranger',
      async () => documentOf(gateway.fake.tenantId, createSigner(), gateway.signer),
    ],
    [
      'the transition was made for another tenant',
      async () => documentOf('ten_01h00000000000000000000000', gateway.fake.signingKey, gateway.signer),
    ],
    [
      'the transition was moved in time',
      async () => {
        const document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, gateway.signer);
        return { ...document, transitions: document.transitions.map((step) => ({ ...step, not_before: 2 })) };
      },
    ],
    [
      'it vouches for itself and its pin, in a ring that no step of the pin leads into',
      async () => {
        const { fake, signer } = gateway;
        const stranger = createSigner();
        const { keys } = await documentOf(fake.tenantId, fake.signingKey, signer, stranger);
        const rings = [
          await documentOf(fake.tenantId, signer, stranger, signer),
          await documentOf(fake.tenantId, stranger, fake.signingKey),
        ];
        return { keys, transitions: rings.flatMap(({ transitions }) => transitions) };
      },
    ],
    [
      'the transition is cut short',
      async () => {
        const document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, gateway.signer);
        const cut = document.transitions.map((step) => ({ ...step, signature: step.signature.slice(4) }));
        return { ...document, transitions: cut };
      },
    ],
    [
      'the document is smaller than before',
      async () => ({ keys: [describeSigner(gateway.fake.signingKey)], transitions: [] }),
    ],
    [
      'the document knows only the new key',
      async () => ({ keys: [describeSigner(gateway.signer)], transitions: [] }),
    ],
    [
      'the pin that vouches for it is revoked',
      async () => {
        const document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, gateway.signer);
        const [first, ...rest] = document.keys;
        return { ...document, keys: [{ ...first, status: 'REVOKED' } as never, ...rest] };
      },
    ],
  ];
  it.each(forged)('is refused where %s', async (name, createDocument) => {
    gateway.signer = createSigner();
    gateway.document = await createDocument();
    const ask = openClient();
    await expect(ask()).rejects.toStrictEqual(refusal);
    const revoked = name.includes('revoked');
    expect(kept.map(kidsOf)).toEqual(revoked ? [[gateway.fake.signingKid]] : []);
    gateway.signer = gateway.fake.signingKey;
    await (revoked ? expect(ask()).rejects.toStrictEqual(refusal) : expect(ask()).resolves.toBe(PLAINTEXT));
  });

  it('is believed from the time of its step only, whatever the document says of it', async () => {
    const { fake } = gateway;
    const next = createSigner();
    const { keys } = await documentOf(fake.tenantId, fake.signingKey, next);
    const notBefore = Math.floor(Date.now() / 1000) + 3_600;
    const step = await signTransition(fake.signingKey, {
      ...{ tenantId: fake.tenantId, toKid: next.kid, notBefore },
    });
    gateway.document = { keys, transitions: [step] };
    gateway.signer = next;
    await expect(openClient()()).rejects.toStrictEqual(refusal);
    expect(kept.map(kidsOf)).toEqual([[fake.signingKid, next.kid]]);
    const [key] = kept as [WelcomedClientKey];
    const then = await fake.seal('{}', { issued_at: notBefore }, next);
    await expect(openEnvelope(key, then)).resolves.toMatchObject({ header: { issued_at: notBefore } });
  });

  it.each<[string, () => Promise<Response>]>([
    ['is missing', async () => new Response('{}', { status: 404 })],
    ['is no JSON', async () => new Response('<html>')],
    ['is something else', async () => Response.json({ keys: [] })],
    ['has a kid of another key', async () => Response.json(await misnamed())],
    ['is endless', async () => new Response(' '.repeat(600_000))],
    ['is not to be had', () => Promise.reject(new TypeError('fetch failed'))],
  ])('is refused where the document %s, and the pins stay', async (_name, answer) => {
    gateway.signer = createSigner();
    gateway.document = answer;
    const ask = openClient();
    await expect(ask()).rejects.toStrictEqual(refusal);
    expect([gateway.documentsRead, kept.length]).toEqual([1, 0]);
    gateway.signer = gateway.fake.signingKey;
    expect(await ask()).toBe(PLAINTEXT);
  });

  async function misnamed(): Promise<SigningKeyDocument> {
    const document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, gateway.signer);
    const [first, second] = document.keys as [never, never];
    return { ...document, keys: [first, { ...(second as object), kid: 'A'.repeat(43) } as never] };
  }
});

describe('the document of signing keys', () => {
  it('is read again after a while only, whatever unknown keys turn up', async () => {
    gateway.signer = createSigner();
    const ask = openClient();
    for (let count = 0; count < 3; count += 1) await expect(ask()).rejects.toStrictEqual(refusal);
    expect(gateway.documentsRead).toBe(1);
    now += PIN_LIMITS.refreshInterval - 1;
    await expect(ask()).rejects.toStrictEqual(refusal);
    expect(gateway.documentsRead).toBe(1);
    now += 1;
    gateway.document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, gateway.signer);
    expect(await ask()).toBe(PLAINTEXT);
    expect(gateway.documentsRead).toBe(2);
  });

  it('is not read for an envelope that is not for this key, or is by a key that is pinned', async () => {
    const other = await createSealingGateway();
    const ask = openClient();
    gateway.answer = async (received) => Response.json(await other.seal(received, PLAINTEXT));
    await expect(ask()).rejects.toStrictEqual(refusal);
    gateway.answer = async (received) =>
      Response.json(await gateway.seal(received, PLAINTEXT, { purpose: 'credential' }));
    await expect(ask()).rejects.toStrictEqual(refusal);
    expect(gateway.documentsRead).toBe(0);
  });

  it('is not asked for over clear http to another machine', async () => {
    gateway.signer = createSigner();
    const key = { ...gateway.clientKey, gateway: 'http://10.0.0.7' };
    const client = createClient({ url: 'http://10.0.0.7', clientKey: key, fetch: gateway.fetch });
    const envelope = await gateway.fake.seal('{}', {}, gateway.signer);
    await expect(client.encryption.decrypt(envelope)).rejects.toStrictEqual(refusal);
    expect(gateway.documentsRead).toBe(0);
  });

  it('is not waited for beyond the caller’s signal', async () => {
    gateway.signer = createSigner();
    const { promise: asked, resolve: noteAsked } = Promise.withResolvers<void>();
    gateway.document = () => {
      noteAsked();
      return Promise.withResolvers<Response>().promise;
    };
    const controller = new AbortController();
    const fetch = sealedFetch(gateway.clientKey, { fetch: gateway.fetch });
    const { signal } = controller;
    const asking = fetch(`${URL_OF_GATEWAY}/graphql`, { method: 'POST', body: '{}', signal });
    await asked;
    controller.abort(new Error('enough'));
    await expect(asking).rejects.toThrow('enough');
  });

  it('takes nothing from the keys of the audit log that were pinned while it was read', async () => {
    const next = createSigner();
    const document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, next);
    const { promise: asked, resolve: noteAsked } = Promise.withResolvers<void>();
    const { promise: answer, resolve: give } = Promise.withResolvers<Response>();
    gateway.document = () => {
      noteAsked();
      return answer;
    };
    const { promise: firstIsKept, resolve: keepFirst } = Promise.withResolvers<void>();
    const keptKeys: WelcomedClientKey[] = [];
    const onPins = async (key: WelcomedClientKey) => {
      if (keptKeys.length === 0) await firstIsKept;
      keptKeys.push(key);
    };
    const opener = new PinnedOpener(gateway.clientKey, { fetch: gateway.fetch, onPins });
    const opening = opener.open(await gateway.fake.seal('{}', {}, next));
    await asked;
    const pinning = opener.pinLogKeys(['log.example/audit+1a2b3c4d+AQ==']);
    give(Response.json(document));
    await expect.poll(() => kidsOf(opener.key), { timeout: 30_000 }).toHaveLength(2);
    keepFirst();
    await Promise.all([opening, pinning]);
    expect(keptKeys).toHaveLength(2);
    expect(keptKeys.at(-1)).toBe(opener.key);
    expect(opener.key.logKeys).toEqual(['log.example/audit+1a2b3c4d+AQ==']);
    expect(kidsOf(opener.key)).toEqual([gateway.fake.signingKid, next.kid]);
  });

  it('leads to new pins even if they could not be kept, which the caller hears of', async () => {
    const next = createSigner();
    gateway.document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, next);
    gateway.signer = next;
    const ask = openClient(gateway.clientKey, {
      onPins: async () => {
        throw new Error('disk full');
      },
    });
    await expect(ask()).rejects.toThrow('disk full');
    expect(await ask()).toBe(PLAINTEXT);
  });
});
