import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import type { Tx } from '../../src/store/index.ts';
import {
  type AccessToken,
  type AccessTokenSealer,
  abandonTokenRefresh,
  claimTokenRefresh,
  deleteCredential,
  insertCredential,
  openAccessToken,
  prepareAccessTokenSealer,
  readAccessToken,
  releaseTokenRefresh,
  replaceCredentialSecret,
  type SealedAccessToken,
  sealCredentialSecret,
  storeAccessToken,
  type TokenRefreshClaim,
} from '../../src/vault/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { type Fixture, isWiped, openFixture } from './vault-fixture.ts';

const token: AccessToken = { access_token: 'bearer-one', refresh_token: 'refresh-one', scope: 'read' };

describeOnBothDatabases('access tokens', (kind) => {
  let database: TestStore;
  let fixture: Fixture;
  let tenantId: string;
  let credentialId: string;
  let sealer: AccessTokenSealer;

  const now = () => new Date(fixture.clock.now());
  const inTenant = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => fixture.store.withTenant(tenantId, work);
  const read = () => inTenant((tx) => readAccessToken(tx, { tenantId, credentialId }));
  const claim = (attempt: string, tokenVersion = 0, credentialVersion = 1): Promise<TokenRefreshClaim> =>
    inTenant((tx) =>
      claimTokenRefresh(tx, {
        tenantId,
        credentialId,
        credentialVersion,
        tokenVersion,
        attempt,
        now: now(),
        until: new Date(fixture.clock.now() + 60_000),
      }),
    );
  const seal = (version = 1, credentialVersion = 1): Promise<SealedAccessToken> =>
    sealer.seal({ credentialId, credentialVersion, version }, token);
  const store = (attempt: string | null, sealed: SealedAccessToken): Promise<boolean> =>
    inTenant((tx) => storeAccessToken(tx, { attempt, sealed, expiresAt: new Date(fixture.clock.now() + 1) }));
  const rotateCredential = async (): Promise<void> => {
    const secret = { type: 'oauth2_client', client_id: 'acme', client_secret: 'next' } as const;
    const sealed = await sealCredentialSecret({
      keyring: fixture.keyring,
      tenantId,
      credentialId,
      version: 2,
      secret,
    });
    const input = { sealed, expectedVersion: 1, expiresAt: null, now: now() };
    await inTenant((tx) => replaceCredentialSecret(tx, input));
  };

  beforeAll(async () => {
    database = await openTestStore(kind);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    fixture = await openFixture(database.store);
    tenantId = await fixture.createTenant();
    credentialId = createId('credential');
    const secret = { type: 'oauth2_client', client_id: 'acme', client_secret: 's' } as const;
    const sealed = await sealCredentialSecret({
      keyring: fixture.keyring,
      tenantId,
      credentialId,
      version: 1,
      secret,
    });
    await inTenant((tx) => insertCredential(tx, { sealed, name: null, expiresAt: null, now: now() }));
    sealer = await prepareAccessTokenSealer({ keyring: fixture.keyring, tenantId });
  });
  afterEach(async () => {
    sealer[Symbol.dispose]();
    await fixture[Symbol.asyncDispose]();
  });

  it('come back as they went in', async () => {
    expect(await read()).toBeNull();
    expect(await claim('a')).toEqual({ kind: 'claimed', replaced: null });
    expect(await read()).toMatchObject({ sealed: null, version: 0, refresh: { attempt: 'a' } });
    expect(await store('a', await seal())).toBe(true);
    const row = await read();
    expect(row).toMatchObject({ credentialVersion: 1, version: 1, refresh: null });
    expect(row?.expiresAt).toEqual(new Date(fixture.clock.now() + 1));
    if (!row?.sealed) throw new Error('no token was stored');
    expect(await openAccessToken({ keyring: fixture.keyring, sealed: row.sealed })).toEqual(token);
  });

  it('are sealed without any call to outside, also while the KMS is down and after the keys went', async () => {
    fixture.server.failNext('drop', Number.POSITIVE_INFINITY);
    await fixture.clock.advance(4 * 60_000 + 59_000);
    const before = fixture.server.requests.length;
    const sealed = await inTenant(() => seal());
    expect(fixture.server.requests).toHaveLength(before);
    fixture.server.heal();
    expect(await openAccessToken({ keyring: fixture.keyring, sealed })).toEqual(token);
  });

  it('are not sealed by a key that is wiped: after five minutes, or when the sealer was disposed', async () => {
    const other = await prepareAccessTokenSealer({ keyring: fixture.keyring, tenantId });
    other[Symbol.dispose]();
    await expect(other.seal({ credentialId, credentialVersion: 1, version: 1 }, token)).rejects.toMatchObject(
      { code: 'KMS_UNAVAILABLE' },
    );
    await fixture.clock.advance(5 * 60_000);
    await expect(seal()).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    expect(fixture.dataKeys.every(isWiped)).toBe(true);
  });

  it('open for their own tenant, credential and versions only, and never as a credential', async () => {
    const sealed = await seal();
    const elsewhere: Partial<SealedAccessToken>[] = [
      { tenantId: await fixture.createTenant() },
      { credentialId: createId('credential') },
      { credentialVersion: 2 },
      { version: 2 },
      { vaultKeyVersion: 2 },
    ];
    for (const change of elsewhere) {
      await expect(
        openAccessToken({ keyring: fixture.keyring, sealed: { ...sealed, ...change } }),
      ).rejects.toMatchObject({ code: 'INTERNAL' });
    }
  });

  it('do not open with a bit changed', async () => {
    const { sealed, encryptedDataKey, ...rest } = await seal();
    for (const share of [0, 0.01, 0.3, 0.999]) {
      const flip = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
        const at = Math.floor(bytes.length * share);
        return bytes.with(at, (bytes[at] as number) ^ 1);
      };
      for (const altered of [
        { ...rest, encryptedDataKey, sealed: flip(sealed) },
        { ...rest, sealed, encryptedDataKey: flip(encryptedDataKey) },
      ]) {
        await expect(openAccessToken({ keyring: fixture.keyring, sealed: altered })).rejects.toMatchObject({
          code: 'INTERNAL',
        });
      }
    }
  });

  it('are fetched by one of many that try at once', async () => {
    const claims = await Promise.all(Array.from({ length: 10 }, (_, index) => claim(`attempt-${index}`)));
    expect(claims.filter(({ kind: outcome }) => outcome === 'claimed')).toHaveLength(1);
    const until = new Date(fixture.clock.now() + 60_000);
    const others = claims.filter(({ kind: outcome }) => outcome !== 'claimed');
    expect(others).toEqual(Array.from({ length: 9 }, () => ({ kind: 'busy', until })));
  });

  it('are not fetched again by one who saw the older token', async () => {
    await claim('a');
    await store('a', await seal());
    expect(await claim('b', 0)).toEqual({ kind: 'renewed', version: 1 });
    expect(await claim('b', 1)).toEqual({ kind: 'claimed', replaced: null });
    expect((await read())?.sealed).not.toBeNull();
  });

  it('are fetched by the next after an attempt that died, which then can store nothing', async () => {
    await claim('dead');
    await fixture.clock.advance(59_999);
    expect(await claim('b')).toMatchObject({ kind: 'busy' });
    await fixture.clock.advance(1);
    expect(await claim('b')).toEqual({ kind: 'claimed', replaced: 'dead' });
    expect(await store('dead', await seal())).toBe(false);
    expect(await store('b', await seal())).toBe(true);
    expect(await store('b', await seal(2))).toBe(false);
  });

  it('that are the only ones left are stored also where another attempt has the turn, once', async () => {
    await claim('slow');
    await fixture.clock.advance(60_000);
    expect(await claim('b')).toEqual({ kind: 'claimed', replaced: 'slow' });
    expect(await store('slow', await seal())).toBe(false);
    expect(await store(null, await seal())).toBe(true);
    expect(await read()).toMatchObject({ version: 1, refresh: null });
    expect(await store('b', await seal())).toBe(false);
    expect(await store(null, await seal())).toBe(false);
    const late = await seal(2);
    await rotateCredential();
    expect(await store(null, late)).toBe(false);
  });

  it('may have been used up by an attempt that ended early, which counts as one that died', async () => {
    await claim('a');
    const end = { tenantId, credentialId, until: new Date(fixture.clock.now() + 2_000) };
    expect(await inTenant((tx) => abandonTokenRefresh(tx, { ...end, attempt: 'b' }))).toBe(false);
    expect(await inTenant((tx) => abandonTokenRefresh(tx, { ...end, attempt: 'a' }))).toBe(true);
    expect(await claim('b')).toMatchObject({ kind: 'busy' });
    await fixture.clock.advance(2_000);
    expect(await claim('b')).toEqual({ kind: 'claimed', replaced: 'a' });
  });

  it('of a pair that a credential was sealed with are known by their ends from the beginning', async () => {
    const pairId = createId('credential');
    const sealed = await sealCredentialSecret({
      ...{ keyring: fixture.keyring, tenantId, credentialId: pairId, version: 1 },
      secret: {
        ...{ type: 'oauth2_token', access_token: 'a', refresh_token: 'r', client_id: 'acme' },
        ...{ expires_at: '2026-12-01T10:00:00Z', refresh_expires_at: '2027-02-01T10:00:00Z' },
      },
    });
    await inTenant((tx) => insertCredential(tx, { sealed, name: null, expiresAt: null, now: now() }));
    const pair = await inTenant((tx) => readAccessToken(tx, { tenantId, credentialId: pairId }));
    expect(pair).toEqual({
      ...{ sealed: null, credentialVersion: 1, version: 0, refresh: null },
      expiresAt: new Date('2026-12-01T10:00:00Z'),
      refreshExpiresAt: new Date('2027-02-01T10:00:00Z'),
    });
  });

  it('can be tried for at once after an attempt that gave up', async () => {
    await claim('a');
    expect(await inTenant((tx) => releaseTokenRefresh(tx, { tenantId, credentialId, attempt: 'b' }))).toBe(
      false,
    );
    expect(await inTenant((tx) => releaseTokenRefresh(tx, { tenantId, credentialId, attempt: 'a' }))).toBe(
      true,
    );
    expect(await claim('b')).toEqual({ kind: 'claimed', replaced: null });
  });

  it('are forgotten when the credential is rotated, and none fetched with the older one is stored', async () => {
    await claim('a');
    const sealed = await seal();
    await rotateCredential();
    expect(await read()).toBeNull();
    expect(await store('a', sealed)).toBe(false);
    expect(await claim('b', 0, 1)).toEqual({ kind: 'outdated' });
    expect(await claim('b', 0, 2)).toEqual({ kind: 'claimed', replaced: null });
    expect(await store('b', sealed)).toBe(false);
    expect(await store('b', await seal(1, 2))).toBe(true);
  });

  it('go with their credential', async () => {
    await claim('a');
    await store('a', await seal());
    await inTenant((tx) => deleteCredential(tx, { tenantId, credentialId }));
    expect(await read()).toBeNull();
    expect(await claim('b')).toEqual({ kind: 'outdated' });
  });

  it('have a form that is checked before they are sealed', async () => {
    const place = { credentialId, credentialVersion: 1, version: 1 };
    for (const access_token of ['', 'x'.repeat(8_193)]) {
      await expect(sealer.seal(place, { access_token })).rejects.toThrow(TypeError);
    }
  });
});
