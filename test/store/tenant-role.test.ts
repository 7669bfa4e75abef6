import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { createId } from '../../src/base/index.ts';
import { openStore, roleSetupSql, type StoreLocation } from '../../src/store/index.ts';
import { createTestDatabase, describeOnBothDatabases } from '../support/store.ts';

const seen = async (location: StoreLocation, tenantRole: string) => {
  await using store = await openStore({ location, tenantRole });
  const id = createId('tenant');
  await store.withSystem('tenant-administration', (tx) =>
    tx.insertInto('tenants').values({ id, kind: 'CUSTOMER', name: 'Test' }).execute(),
  );
  return await store.withTenant(createId('tenant'), (tx) => tx.selectFrom('tenants').select('id').execute());
};

describe('The SQL that sets up the role of the tenants', () => {
  test('creates it powerless and grants it to the login, or only grants it', () => {
    expect(roleSetupSql('tenants', 'gateway')).toBe(
      'CREATE ROLE tenants NOLOGIN NOSUPERUSER NOBYPASSRLS; GRANT tenants TO "gateway";',
    );
    expect(roleSetupSql('tenants', 'gateway', true)).toBe('GRANT tenants TO "gateway";');
  });

  test('cannot be made to say more by a name', () => {
    expect(roleSetupSql('tenants', 'a"; DROP TABLE tenants; --', true)).toBe(
      'GRANT tenants TO "a""; DROP TABLE tenants; --";',
    );
    for (const name of ['', 'Tenants', 'a b', 'a;b', '1a', 'a'.repeat(64), 'a"']) {
      expect(() => roleSetupSql(name, 'gateway')).toThrow(TypeError);
    }
  });
});

describeOnBothDatabases('The role of the tenants', (kind) => {
  test('may have another name, which must be a plain one', async () => {
    await using database = await createTestDatabase(kind);
    await expect(openStore({ location: database.location, tenantRole: 'x; DROP' })).rejects.toThrow(
      TypeError,
    );
    await using roles = await createLogin(database.connectionString);
    expect(await seen(database.location, roles.tenantRole)).toEqual([]);
  });

  if (kind !== 'postgres') return;

  test('is asked for, with the SQL, by a login that may not create roles, and works once that was run', async () => {
    await using database = await createTestDatabase(kind);
    await using roles = await createLogin(database.connectionString);
    const { login, tenantRole, location } = roles;
    const refusal = () => openStore({ location, tenantRole }).then(() => '', String);
    expect(await refusal()).toContain(roleSetupSql(tenantRole, login));

    await roles.asAdmin(`CREATE ROLE ${tenantRole} NOLOGIN`);
    const [, statements = ''] = (await refusal()).split('run: ');
    expect(statements).toBe(roleSetupSql(tenantRole, login, true));

    await roles.asAdmin(statements);
    expect(await seen(location, tenantRole)).toEqual([]);
  });

  test('is created by a login that may create roles but is no superuser', async () => {
    await using database = await createTestDatabase(kind);
    await using roles = await createLogin(database.connectionString);
    await roles.asAdmin(`ALTER ROLE ${roles.login} CREATEROLE`);
    expect(await seen(roles.location, roles.tenantRole)).toEqual([]);
  });

  test('leaves no connection in a broken transaction while it is not there', async () => {
    await using database = await createTestDatabase(kind);
    await using roles = await createLogin(database.connectionString);
    const { tenantRole } = roles;
    await using store = await openStore({ location: database.location, tenantRole });
    const list = () =>
      store.withTenant(createId('tenant'), (tx) => tx.selectFrom('tenants').select('id').execute());
    await roles.asAdmin(`ALTER ROLE ${tenantRole} RENAME TO ${tenantRole}_away`);
    await expect(list()).rejects.toThrow(tenantRole);
    await roles.asAdmin(`ALTER ROLE ${tenantRole}_away RENAME TO ${tenantRole}`);
    expect(await list()).toEqual([]);
  });

  test.each(['SUPERUSER', 'BYPASSRLS'])('is refused when it has %s', async (power) => {
    await using database = await createTestDatabase(kind);
    await using roles = await createLogin(database.connectionString);
    await roles.asAdmin(`CREATE ROLE ${roles.tenantRole} NOLOGIN ${power}`);
    const opening = openStore({ location: database.location, tenantRole: roles.tenantRole });
    await expect(opening).rejects.toThrow(/bypasses row-level security/);
  });
});

/**
 * A login of its own that owns the database, and the name of a role that does not exist yet. Both are
 * dropped at the end, after the database. On PGlite there is only the name.
 */
async function createLogin(connectionString: string | null) {
  const suffix = randomUUID().slice(0, 8);
  const [login, tenantRole] = [`sealdesk_test_login_${suffix}`, `sealdesk_test_role_${suffix}`];
  if (connectionString === null) {
    const location: StoreLocation = { kind: 'memory' };
    return { login, tenantRole, location, asAdmin: async () => {}, async [Symbol.asyncDispose]() {} };
  }
  const url = new URL(connectionString);
  const database = url.pathname.slice(1);
  const adminUrl = new URL(url);
  adminUrl.pathname = '/postgres';
  const asAdmin = async (statements: string): Promise<void> => {
    const client = new pg.Client({ connectionString: adminUrl.href });
    await client.connect();
    try {
      await client.query(statements);
    } finally {
      await client.end();
    }
  };
  await asAdmin(`CREATE ROLE ${login} LOGIN PASSWORD '${suffix}'`);
  await asAdmin(`ALTER DATABASE ${database} OWNER TO ${login}`);
  url.username = login;
  url.password = suffix;
  const location: StoreLocation = { kind: 'postgres', connectionString: url.href };
  return {
    login,
    tenantRole,
    location,
    asAdmin,
    async [Symbol.asyncDispose]() {
      await asAdmin(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
      await asAdmin(`DROP ROLE IF EXISTS ${tenantRole}`);
      await asAdmin(`DROP ROLE IF EXISTS ${login}`);
    },
  };
}
