/** Nothing that went into the vault lies anywhere in the clear: not in a table, nor in the data folder with its write-ahead log. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import {
  type CredentialSecret,
  claimTokenRefresh,
  insertCredential,
  openAccessToken,
  openCredentialSecret,
  prepareAccessTokenSealer,
  readAccessToken,
  readCredentialSecret,
  replaceCredentialSecret,
  sealCredentialSecret,
  storeAccessToken,
} from '../../src/vault/index.ts';
import { describeOnBothDatabases, openTestStore } from '../support/store.ts';
import { type Fixture, openFixture } from './vault-fixture.ts';

/** Long enough that none is met by chance. */
const WORDS = [
  'sentinel-client-id-Qm9x',
  'sentinel-client-secret-81fe',
  'sentinel-rotated-secret-55aa',
  'sentinel-access-token-3b7d',
  'sentinel-refresh-token-c0de',
  'sentinel.agent@example.com',
  'sentinel-api-token-9f21',
  'sentinel customer text: my card was stolen',
] as const;
const NAME = 'visible-name-of-the-credential';

/** Puts every kind of secret in, uses it, and answers all that must not be found: words, seeds, roots, data keys. */
async function fillVault(fixture: Fixture): Promise<readonly Buffer[]> {
  const { store, keyring, clock, random } = fixture;
  const tenantId = await fixture.createTenant();
  const seeds = random.filter(({ length }) => length >= 32).map((bytes) => Buffer.from(bytes));
  const now = new Date(clock.now());
  const add = async (secret: CredentialSecret): Promise<string> => {
    const credentialId = createId('credential');
    const sealed = await sealCredentialSecret({ keyring, tenantId, credentialId, version: 1, secret });
    await store.withTenant(tenantId, (tx) =>
      insertCredential(tx, { sealed, name: NAME, expiresAt: null, now }),
    );
    return credentialId;
  };
  await add({ type: 'basic_auth', username: WORDS[5], password: WORDS[6] });
  await add({ type: 'oauth2_token', access_token: WORDS[3], refresh_token: WORDS[4], client_id: WORDS[0] });
  const credentialId = await add({ type: 'oauth2_client', client_id: WORDS[0], client_secret: WORDS[1] });
  const key = { tenantId, credentialId };
  const secret = { type: 'oauth2_client', client_id: WORDS[0], client_secret: WORDS[2] } as const;
  const rotated = await sealCredentialSecret({ keyring, ...key, version: 2, secret });
  await store.withTenant(tenantId, (tx) =>
    replaceCredentialSecret(tx, { sealed: rotated, expectedVersion: 1, expiresAt: null, now }),
  );

  const keys = await keyring.keysOf(tenantId);
  const text = keys.sealText({ table: 'any', rowId: 'row', column: 'text', version: 1 }, WORDS[7]);
  using sealer = await prepareAccessTokenSealer({ keyring, tenantId });
  const place = { credentialId, credentialVersion: 2, version: 1 };
  const sealed = await sealer.seal(place, { access_token: WORDS[3], refresh_token: WORDS[4] });
  await store.withTenant(tenantId, async (tx) => {
    const claim = { ...key, credentialVersion: 2, tokenVersion: 0, attempt: 'a', now, until: now };
    await claimTokenRefresh(tx, claim);
    expect(await storeAccessToken(tx, { attempt: 'a', sealed, expiresAt: null })).toBe(true);
    // Customer text that must lie down, in a column that takes any text.
    await sql`UPDATE access_tokens SET refresh_attempt = ${Buffer.from(text).toString('base64')}`.execute(tx);
  });

  const [stored, storedToken] = await store.withTenant(tenantId, async (tx) => [
    await readCredentialSecret(tx, key),
    await readAccessToken(tx, key),
  ]);
  if (stored === null || !storedToken?.sealed) throw new Error('nothing was stored');
  expect(await openCredentialSecret({ keyring, sealed: stored })).toEqual(secret);
  expect(await openAccessToken({ keyring, sealed: storedToken.sealed })).toMatchObject({
    access_token: WORDS[3],
  });
  const dataKeys = fixture.dataKeys.filter((bytes) => bytes.some((byte) => byte !== 0));
  expect(seeds).toHaveLength(6);
  expect(dataKeys.length).toBeGreaterThan(0);
  return [
    ...WORDS.map((word) => Buffer.from(word)),
    ...seeds,
    ...dataKeys.map((bytes) => Buffer.from(bytes)),
  ];
}

/** Every way in which a secret might be written down. */
function spellings(secret: Buffer): readonly Buffer[] {
  const texts = [secret.toString('hex'), secret.toString('base64'), secret.toString('base64url')];
  return [secret, ...texts.map((text) => Buffer.from(text.replaceAll('=', '')))];
}

function findAny(haystack: Buffer, secrets: readonly Buffer[]): readonly string[] {
  const found = secrets.filter((secret) => spellings(secret).some((spelling) => haystack.includes(spelling)));
  return found.map((secret) => secret.toString('latin1'));
}

/** All rows of all tables as PostgreSQL writes them; `bytea` columns are hexadecimal. */
async function dumpTables(store: Store): Promise<Buffer> {
  return store.withSystem('tenant-administration', async (tx) => {
    const tables = await sql<{ name: string }>`SELECT quote_ident(table_name) AS name
      FROM information_schema.tables WHERE table_schema = current_schema()`.execute(tx);
    expect(tables.rows.length).toBeGreaterThan(10);
    const texts: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await sql<{ row: string }>`SELECT t::text AS row FROM ${sql.raw(name)} AS t`.execute(
        tx,
      );
      texts.push(...rows.map(({ row }) => row));
    }
    return Buffer.from(texts.join('\n'));
  });
}

describeOnBothDatabases('the tables', (kind) => {
  it('hold no secret, seed, root or data key in any spelling', async () => {
    await using database = await openTestStore(kind);
    await using fixture = await openFixture(database.store);
    const secrets = await fillVault(fixture);
    const dump = await dumpTables(database.store);
    expect(dump.includes(NAME)).toBe(true);
    expect(findAny(dump, secrets)).toEqual([]);
  });
});

describe('the data folder', () => {
  const search = async (folder: string, secrets: readonly Buffer[]) => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const found: string[] = [];
    const withName: string[] = [];
    for (const file of files) {
      const content = await readFile(file);
      found.push(...findAny(content, secrets));
      if (content.includes(NAME)) withName.push(file);
    }
    return { found, withName };
  };

  it('holds no secret either, nor does its write-ahead log, while in use and when closed', async () => {
    await using resources = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'sealdesk-at-rest-'));
    resources.defer(() => rm(folder, { recursive: true }));
    let secrets: readonly Buffer[];
    {
      await using store = await openStore({
        location: { kind: 'pglite', folder, url: 'http://localhost:4000' },
      });
      await using fixture = await openFixture(store);
      secrets = await fillVault(fixture);
      const { found, withName } = await search(folder, secrets);
      expect(found).toEqual([]);
      // What is no secret is found in the write-ahead log, so the search looks where it should.
      expect(withName.some((file) => file.includes('pg_wal'))).toBe(true);
    }
    const { found, withName } = await search(folder, secrets);
    expect(found).toEqual([]);
    expect(withName.some((file) => file.includes('base'))).toBe(true);
  });
});
