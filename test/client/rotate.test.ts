/** The SDK while its key is rotated, against a whole gateway behind a port. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OVERLAP_MS } from '../../src/access/index.ts';
import {
  type ClientKey,
  clientKeyFromFile,
  createClient,
  createEnvelopeOpener,
  createKeyFile,
  EnvelopeOpenError,
  encodeKeyFile,
  generateClientKey,
  isWelcomed,
  type KeyFile,
  rotateClientKey,
  rotateKeyFile,
  subscribeTicketChanges,
  type WelcomedClientKey,
  type WelcomedKeyFile,
} from '../../src/client/index.ts';
import { encodeSigningKeyJwk } from '../../src/envelope/index.ts';
import { MovableClock } from '../service/house.ts';
import { mapTestKey, REVOKE } from '../support/rotation.ts';
import { createTestApiKey, dataOf, openTestClientKey, suite } from '../support/tenant.ts';
import { type LiveGateway, openLiveGateway } from './feed/live-gateway.ts';
import { TRANSPORTS, take } from './feed/rig.ts';

const TENANT = '{ viewer { tenant { id } } }';
const resources = new AsyncDisposableStack();
const clock = new MovableClock();
let live: LiveGateway;

beforeAll(async () => {
  live = resources.use(await openLiveGateway({ clock }));
}, 120_000);
afterAll(() => resources.disposeAsync());

async function openKey(): Promise<{ readonly keyFile: WelcomedKeyFile; readonly apiKey: string }> {
  const { gateway } = live.listening;
  const { admin } = live.tenant.keys;
  const keyFile = await openTestClientKey(gateway, admin, admin);
  const apiKey = await createTestApiKey(gateway, admin, {
    ...{ roles: ['AGENT'], clientKeyId: keyFile.key_id },
  });
  return { keyFile, apiKey };
}

async function toClientKey(file: KeyFile): Promise<WelcomedClientKey> {
  const key = await clientKeyFromFile(encodeKeyFile(file));
  if (key.state !== 'WELCOMED') throw new TypeError('The key was welcomed');
  return key;
}

function rotate(keyFile: WelcomedKeyFile, apiKey: string, mode: 'STRICT' | 'OVERLAP' = 'OVERLAP') {
  return rotateKeyFile(suite, {
    ...{ gateway: live.listening.url, fetch, apiKey, keyFile, mode },
    ...{ now: () => clock.now(), keep: async () => undefined },
  });
}

const map = (keyFile: WelcomedKeyFile) => mapTestKey(live.listening.gateway, live.tenant.keys.admin, keyFile);

/** The day is over, and whoever watches over connections hears of a change of keys. */
async function endOverlap(): Promise<void> {
  const { gateway } = live.listening;
  const { admin } = live.tenant.keys;
  clock.advance(OVERLAP_MS);
  const bystander = await openTestClientKey(gateway, admin, null);
  dataOf(await gateway.graphql(REVOKE, { apiKey: admin, variables: { id: bystander.key_id } }));
}

describe('rotateKeyFile', () => {
  it('keeps the successor before anything is sent, and what the welcome brought before it is confirmed', async () => {
    const { keyFile, apiKey } = await openKey();
    const kept: KeyFile[] = [];
    const { keyFile: successor, status } = await rotateKeyFile(suite, {
      ...{ gateway: live.listening.url, fetch, apiKey, keyFile, mode: 'OVERLAP', now: () => clock.now() },
      keep: async (file) => void kept.push(file),
    });
    expect(status).toBe('CONFIRMED');
    expect(kept.map(isWelcomed)).toEqual([false, true]);
    expect(kept[1]).toEqual(successor);
    expect(successor.keys).toEqual(kept[0]?.keys);
    expect(successor.signing_keys).toEqual(keyFile.signing_keys);
  });

  it('goes on with the successor that it made before where the answer was lost', async () => {
    const { keyFile, apiKey } = await openKey();
    const next = createKeyFile(suite);
    const input = {
      ...{ gateway: live.listening.url, apiKey, keyFile, next, mode: 'OVERLAP' as const },
      ...{ now: () => clock.now(), keep: async () => undefined },
    };
    const lossy: typeof fetch = async (...sent) => {
      await fetch(...sent);
      throw new TypeError('fetch failed');
    };
    await expect(rotateKeyFile(suite, { ...input, fetch: lossy })).rejects.toThrow('fetch failed');
    const { keyFile: successor } = await rotateKeyFile(suite, { ...input, fetch });
    await map(successor);
    const client = createClient({
      ...{ url: live.listening.url, apiKey, clientKey: await toClientKey(successor) },
    });
    expect((await client.request(TENANT)).data).toEqual({ viewer: { tenant: { id: live.tenant.id } } });
  });

  it('believes a welcome only from a signing key that the old key pins', async () => {
    const { keyFile, apiKey } = await openKey();
    const sig = suite.importSigningKey(suite.randomBytes(32));
    const other = encodeSigningKeyJwk({
      ...{ kid: sig.kid, publicKey: sig.publicKey, status: 'ACTIVE', notBefore: null, notAfter: null },
    });
    const fooled = { ...keyFile, signing_keys: [other] };
    await expect(rotate(fooled, apiKey)).rejects.toStrictEqual(new EnvelopeOpenError());
  });

  it('makes a key whose envelopes are opened beside those of the old one', async () => {
    const { keyFile, apiKey } = await openKey();
    const { keyFile: successor } = await rotate(keyFile, apiKey);
    await map(successor);
    const opener = createEnvelopeOpener(suite, keyFile, successor);
    for (const [named, file] of [
      [keyFile.key_id, keyFile],
      [successor.key_id, successor],
    ] as const) {
      const { json } = await live.tenant.proxy(
        'get_ticket',
        { ticket_id: 1, max_comments: 0 },
        { apiKey, headers: { 'x-sealdesk-key': named } },
      );
      expect((await opener.open(json)).header.recipient_key_id).toBe(file.key_id);
    }
    await expect(createEnvelopeOpener(suite, keyFile).open({})).rejects.toBeInstanceOf(EnvelopeOpenError);
  });
});

describe('a client with a successor', () => {
  it('of a key in this process is made by rotateClientKey, kept twice, and refused where it was welcomed', async () => {
    const { keyFile, apiKey } = await openKey();
    const key = await toClientKey(keyFile);
    const kept: ClientKey[] = [];
    const { clientKey, status } = await rotateClientKey(key, {
      ...{ url: live.listening.url, apiKey, mode: 'OVERLAP', now: () => clock.now() },
      next: await generateClientKey(),
      keep: (one) => void kept.push(one),
    });
    expect(status).toBe('CONFIRMED');
    expect(kept.map(({ state }) => state)).toEqual(['FRESH', 'WELCOMED']);
    const again = {
      url: live.listening.url,
      mode: 'OVERLAP' as const,
      next: clientKey,
      keep: () => undefined,
    };
    await expect(rotateClientKey(key, again)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('has every question answered, before its successor is mapped, after, and when the old key is served no more', async () => {
    const { keyFile, apiKey } = await openKey();
    const { keyFile: next } = await rotate(keyFile, apiKey);
    const client = createClient({
      ...{ url: live.listening.url, apiKey, clientKey: await toClientKey(keyFile) },
      successor: await toClientKey(next),
    });
    const answered = async () => {
      const { data, errors, auditEventId } = await client.request(TENANT);
      return { data, errors, isSealed: auditEventId !== null, keyId: client.keyId };
    };
    const good = { data: { viewer: { tenant: { id: live.tenant.id } } }, errors: undefined, isSealed: true };
    expect(await answered()).toEqual({ ...good, keyId: keyFile.key_id });
    await map(next);
    expect(await answered()).toEqual({ ...good, keyId: keyFile.key_id });
    await endOverlap();
    const all = await Promise.all([answered(), answered(), answered()]);
    for (const each of all) expect(each).toMatchObject(good);
    expect(await answered()).toEqual({ ...good, keyId: next.key_id });
  });

  it('by STRICT is told what to hand to whom until its successor is mapped, and works then without being made anew', async () => {
    const { keyFile, apiKey } = await openKey();
    const { keyFile: next } = await rotate(keyFile, apiKey, 'STRICT');
    const client = createClient({
      ...{ url: live.listening.url, apiKey, clientKey: await toClientKey(keyFile) },
      successor: await toClientKey(next),
    });
    const refused = await client.request(TENANT);
    expect(refused.data).toBeNull();
    expect(refused.errors?.[0]?.extensions?.['code']).toBe('CLIENT_KEY_NOT_MAPPED');
    expect(refused.errors?.[0]?.message).toContain(`mapClientKey(keyId: "${next.key_id}")`);
    expect(client.keyId).toBe(keyFile.key_id);
    await map(next);
    expect((await client.request(TENANT)).errors).toBeUndefined();
    expect(client.keyId).toBe(next.key_id);
  });

  describe.each(TRANSPORTS)('that follows changes over %s', (transport) => {
    it('misses none and has no gap while its key is rotated by OVERLAP', async () => {
      const { keyFile, apiKey } = await openKey();
      const { keyFile: next } = await rotate(keyFile, apiKey);
      const client = createClient({
        ...{ url: live.listening.url, apiKey, clientKey: await toClientKey(keyFile) },
        successor: await toClientKey(next),
      });
      const { integrationId } = live.tenant;
      await using changes = subscribeTicketChanges({ client, integrationId, transport });
      await changes.ready();
      const ids = [live.createTicket('Before')];
      const taken = await take(changes, 1);
      await map(next);
      ids.push(live.createTicket('Overlapping'));
      taken.push(...(await take(changes, 1)));
      expect(client.keyId).toBe(keyFile.key_id);
      const waiting = take(changes, 1);
      await endOverlap();
      ids.push(live.createTicket('After'));
      taken.push(...(await waiting));
      expect(client.keyId).toBe(next.key_id);
      expect(taken.map(({ content }) => content.ticket_id)).toEqual(ids);
      const first = taken[0]?.sequence ?? 0;
      expect(taken.map(({ sequence }) => sequence)).toEqual([first, first + 1, first + 2]);
    });
  });
});
