import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import type { Tx } from '../../src/store/index.ts';
import {
  type CredentialSecret,
  deleteCredential,
  insertCredential,
  isTouchDue,
  listCredentials,
  type NewCredentialSecret,
  openCredentialSecret,
  readCredential,
  readCredentialSecret,
  replaceCredentialSecret,
  type SealedCredentialSecret,
  sealCredentialSecret,
  touchCredential,
} from '../../src/vault/index.ts';
import { describeOnBothDatabases, openTestStore, type TestStore } from '../support/store.ts';
import { type Fixture, isWiped, openFixture } from './vault-fixture.ts';

const secret: CredentialSecret = { type: 'oauth2_client', client_id: 'acme', client_secret: 'first-secret' };
const nextSecret: CredentialSecret = { ...secret, client_secret: 'second-secret' };

describeOnBothDatabases('credentials', (kind) => {
  let database: TestStore;
  let fixture: Fixture;
  let tenantId: string;
  let credentialId: string;

  beforeAll(async () => {
    database = await openTestStore(kind);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    fixture = await openFixture(database.store);
    tenantId = await fixture.createTenant();
    credentialId = createId('credential');
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const now = () => new Date(fixture.clock.now());
  const inTenant = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => fixture.store.withTenant(tenantId, work);
  const seal = (of: CredentialSecret, version = 1, id = credentialId): Promise<NewCredentialSecret> =>
    sealCredentialSecret({ keyring: fixture.keyring, tenantId, credentialId: id, version, secret: of });
  const open = (sealed: SealedCredentialSecret): Promise<CredentialSecret> =>
    openCredentialSecret({ keyring: fixture.keyring, sealed });
  const stored = async (): Promise<SealedCredentialSecret> => {
    const sealed = await inTenant((tx) => readCredentialSecret(tx, { tenantId, credentialId }));
    if (sealed === null) throw new Error('the credential is gone');
    return sealed;
  };
  const insert = async (id = credentialId): Promise<void> => {
    const sealed = await seal(secret, 1, id);
    await inTenant((tx) => insertCredential(tx, { sealed, name: 'main', expiresAt: null, now: now() }));
  };
  const rotate = (sealed: NewCredentialSecret, expectedVersion: number) =>
    inTenant((tx) => replaceCredentialSecret(tx, { sealed, expectedVersion, expiresAt: null, now: now() }));

  it('come back as they went in', async () => {
    await insert();
    expect(await open(await stored())).toEqual(secret);
    expect(await inTenant((tx) => readCredential(tx, { tenantId, credentialId }))).toEqual({
      id: credentialId,
      tenantId,
      name: 'main',
      type: 'oauth2_client',
      version: 1,
      createdAt: now(),
      rotatedAt: null,
      expiresAt: null,
      lastUsedAt: null,
    });
  });

  it('cost one KMS call to seal and one to open, and none to open again within four minutes', async () => {
    await fixture.keyring.keysOf(tenantId);
    const calls = () => fixture.server.requests.length;
    const before = calls();
    await insert();
    expect(calls() - before).toBe(1);
    const sealed = await stored();
    await Promise.all(Array.from({ length: 20 }, () => open(sealed)));
    expect(calls() - before).toBe(2);
    await fixture.clock.advance(4 * 60_000 - 1);
    await open(sealed);
    expect(calls() - before).toBe(2);
    expect(fixture.server.requests.at(-1)).toMatchObject({
      operation: 'Decrypt',
      encryptionContext: { tenant: tenantId, purpose: 'credential' },
    });
  });

  it('leave no data key behind: the sealing one goes at once, the opening one in five minutes', async () => {
    await insert();
    expect(fixture.dataKeys.every(isWiped)).toBe(true);
    await open(await stored());
    expect(fixture.dataKeys.filter((key) => !isWiped(key))).toHaveLength(1);
    await fixture.clock.advance(5 * 60_000);
    expect(fixture.dataKeys.every(isWiped)).toBe(true);
  });

  it('open for their own tenant, id, type and version only', async () => {
    await insert();
    const sealed = await stored();
    const elsewhere: Partial<SealedCredentialSecret>[] = [
      { tenantId: await fixture.createTenant() },
      { credentialId: createId('credential') },
      { type: 'oauth2_token' },
      { version: 2 },
      { vaultKeyVersion: 2 },
    ];
    for (const change of elsewhere) {
      await expect(open({ ...sealed, ...change })).rejects.toMatchObject({ code: 'INTERNAL' });
    }
    expect(await open(sealed)).toEqual(secret);
  });

  it('do not open with a bit changed in any column', async () => {
    await insert();
    const columns: [string, string][] = [
      ['sealed', 'INTERNAL'],
      ['encrypted_data_key', 'INTERNAL'],
    ];
    for (const [column, code] of columns) {
      for (const share of [0, 0.1, 0.5, 0.9]) {
        const bit = sql`floor(length(${sql.ref(column)}) * 8 * ${share}::float8)::int`;
        const flip = () =>
          inTenant((tx) =>
            sql`UPDATE credential_secrets
              SET ${sql.ref(column)} = set_bit(${sql.ref(column)}, ${bit}, 1 - get_bit(${sql.ref(column)}, ${bit}))
              WHERE credential_id = ${credentialId}`.execute(tx),
          );
        await flip();
        await expect(open(await stored())).rejects.toMatchObject({ code });
        await flip();
      }
    }
    const sealed = await stored();
    for (const kmsKeyRef of [sealed.kmsKeyRef.replace('key/', 'kex/'), `${sealed.kmsKeyRef}0`]) {
      await expect(open({ ...sealed, kmsKeyRef })).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    }
    expect(await open(sealed)).toEqual(secret);
  });

  it("do not open in each other's place", async () => {
    await insert();
    const other = createId('credential');
    await insert(other);
    await inTenant((tx) =>
      sql`UPDATE credential_secrets AS mine
        SET sealed = theirs.sealed, encrypted_data_key = theirs.encrypted_data_key
        FROM credential_secrets AS theirs
        WHERE mine.credential_id = ${credentialId} AND theirs.credential_id = ${other}`.execute(tx),
    );
    await expect(open(await stored())).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('keep their id through rotation, and the older secret is gone', async () => {
    await insert();
    const older = await stored();
    await fixture.clock.advance(1_000);
    const rotated = await rotate(await seal(nextSecret, 2), 1);
    expect(rotated).toMatchObject({ id: credentialId, version: 2, rotatedAt: now() });
    expect(await open(await stored())).toEqual(nextSecret);
    // The old blob in the new one's place does not open: it is of another version.
    await expect(open({ ...older, version: 2 })).rejects.toMatchObject({ code: 'INTERNAL' });
    const rows = await inTenant((tx) => tx.selectFrom('credential_secrets').selectAll().execute());
    expect(rows).toHaveLength(1);
  });

  it('are rotated by one of two that try at once; the other hears of a conflict', async () => {
    await insert();
    const attempts = [await seal(nextSecret, 2), await seal({ ...secret, client_secret: 'third' }, 2)];
    const outcomes = await Promise.allSettled(attempts.map((sealed) => rotate(sealed, 1)));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const rejected = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(rejected?.reason).toMatchObject({ code: 'CONFLICT', details: { subject: credentialId } });
    expect((await stored()).version).toBe(2);
  });

  it('are not rotated to another type, nor where they are not', async () => {
    await insert();
    const key = await seal({ type: 'api_key', api_key: 'k' }, 2);
    await expect(rotate(key, 1)).rejects.toMatchObject({ code: 'CONFLICT' });
    const stranger = await seal(secret, 2, createId('credential'));
    await expect(rotate(stranger, 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(rotate(await seal(secret, 3), 1)).rejects.toThrow(RangeError);
    expect(await open(await stored())).toEqual(secret);
  });

  it('are not deleted while integrations use them, and the refusal names these', async () => {
    await insert();
    const integrationId = createId('integration');
    await inTenant((tx) =>
      tx
        .insertInto('integrations')
        .values({
          id: integrationId,
          tenant_id: tenantId,
          name: 'Support',
          system_type: 'ZENDESK',
          subdomain: 'acme',
          credential_id: credentialId,
          status: 'ACTIVE',
        })
        .execute(),
    );
    const remove = () => inTenant((tx) => deleteCredential(tx, { tenantId, credentialId }));
    await expect(remove()).rejects.toMatchObject({ code: 'CONFLICT', details: { subject: integrationId } });
    await inTenant((tx) => tx.deleteFrom('integrations').execute());
    await remove();
    expect(await inTenant((tx) => readCredential(tx, { tenantId, credentialId }))).toBeNull();
    expect(await inTenant((tx) => readCredentialSecret(tx, { tenantId, credentialId }))).toBeNull();
    await expect(remove()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are not seen, rotated or deleted by another tenant', async () => {
    await insert();
    const own = tenantId;
    const sealed = await seal(nextSecret, 2);
    tenantId = await fixture.createTenant();
    const key = { tenantId: own, credentialId };
    await inTenant(async (tx) => {
      expect(await readCredential(tx, key)).toBeNull();
      expect(await readCredential(tx, { tenantId, credentialId })).toBeNull();
      expect(await readCredentialSecret(tx, key)).toBeNull();
      expect(await listCredentials(tx, own, { limit: 10 })).toEqual([]);
    });
    await expect(rotate(sealed, 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(inTenant((tx) => deleteCredential(tx, key))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    tenantId = own;
    expect((await stored()).version).toBe(1);
  });

  it('are listed in pages that neither skip nor repeat', async () => {
    const ids: string[] = [];
    const sealed = await seal(secret);
    for (let index = 0; index < 5; index += 1) {
      const id = createId('credential', fixture.clock.now() + index);
      ids.push(id);
      const input = { sealed: { ...sealed, credentialId: id }, name: null, expiresAt: null, now: now() };
      await inTenant((tx) => insertCredential(tx, input));
    }
    const list = (page: Omit<Parameters<typeof listCredentials>[2], 'limit'>, limit = 2) =>
      inTenant(async (tx) => (await listCredentials(tx, tenantId, { ...page, limit })).map(({ id }) => id));
    const walk = async (backwards: boolean): Promise<readonly string[]> => {
      const seen: string[] = [];
      for (;;) {
        const last = seen.at(-1);
        const from = last === undefined ? {} : backwards ? { before: last } : { after: last };
        const page = await list({ ...from, backwards });
        if (page.length === 0) return seen;
        seen.push(...page);
      }
    };
    expect(await walk(false)).toEqual(ids);
    expect(await walk(true)).toEqual(ids.toReversed());
    const [first = '', , third = '', , fifth = ''] = ids;
    expect(await list({ after: first, before: fifth }, 101)).toEqual(ids.slice(1, 4));
    expect(await list({ after: third }, 101)).toEqual(ids.slice(3));
    for (const limit of [0, 102, 1.5]) await expect(list({}, limit)).rejects.toThrow(RangeError);
  });

  it('note their use once a minute', async () => {
    await insert();
    const touch = async (): Promise<Date | null | undefined> =>
      inTenant(async (tx) => {
        await touchCredential(tx, { tenantId, credentialId, now: now() });
        return (await readCredential(tx, { tenantId, credentialId }))?.lastUsedAt;
      });
    const first = now();
    expect(await touch()).toEqual(first);
    await fixture.clock.advance(59_999);
    expect(await touch()).toEqual(first);
    await fixture.clock.advance(1);
    expect(await touch()).toEqual(now());
    expect(isTouchDue({ lastUsedAt: now() }, now())).toBe(false);
    await fixture.clock.advance(60_000);
    expect(isTouchDue({ lastUsedAt: first }, now())).toBe(true);
    expect(isTouchDue({ lastUsedAt: null }, now())).toBe(true);
  });

  it('can neither be sealed nor opened while the KMS is down, and at once when it is back', async () => {
    await insert();
    const sealed = await stored();
    fixture.server.failNext('unavailable', Number.POSITIVE_INFINITY);
    await expect(open(sealed)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    await expect(seal(nextSecret, 2)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
    fixture.server.heal();
    expect(await open(sealed)).toEqual(secret);
    expect((await seal(nextSecret, 2)).version).toBe(2);
  });

  it('do not open any more when the KMS key has been disabled for five minutes', async () => {
    await insert();
    const sealed = await stored();
    await open(sealed);
    fixture.server.setKeyState(fixture.server.defaultKeyArn, 'disabled');
    await fixture.clock.advance(5 * 60_000);
    await expect(open(sealed)).rejects.toMatchObject({ code: 'KMS_UNAVAILABLE' });
  });

  it('are not sealed or opened inside a transaction', async () => {
    const sealed = await seal(secret);
    await inTenant(async () => {
      await expect(seal(secret)).rejects.toThrow('inside a transaction');
      await expect(open(sealed)).rejects.toThrow('inside a transaction');
    });
  });
});
