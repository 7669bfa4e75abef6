import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, describeOnBothDatabases, describeOnPostgres } from '../support/store.ts';
import { freePorts, type Outcome, runProgram, startProgram } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealdesk-database-'));
const data = { SEALDESK_DATA_DIR: join(folder, 'data') };
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(args: readonly string[], env: Readonly<Record<string, string>> = data): Promise<Outcome> {
  return runProgram(args, { cwd: folder, env });
}

function expectOneLine({ code, stdout, stderr }: Outcome, reason: RegExp): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(reason);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
}

describe('on an embedded database', () => {
  it('doctor makes nothing before the first start', async () => {
    const { code, stdout } = await run(['doctor']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/note +Database: embedded, made in .* at the first start/);
    expect(existsSync(data.SEALDESK_DATA_DIR)).toBe(false);
  });

  it('migrate applies the migrations once', async () => {
    expect(await run(['migrate'])).toEqual({
      code: 0,
      stdout: [
        'applied 0001-foundation',
        'applied 0002-zendesk-budget',
        'applied 0003-api-key-delivery',
        'applied 0004-ticket-feed',
        'applied 0005-audit-tree',
        'applied 0006-audit-checkpoints',
        'applied 0007-audit-exports',
        'applied 0008-client-key-life',
        'applied 0009-login-tokens',
        'applied 0010-client-key-scope',
        'applied 0011-key-rotation',
        'applied 0012-zendesk-authorizations',
        'applied 0013-reconnecting',
        'applied 0014-directory',
        'applied 0015-provisioning',
        'applied 0016-audit-indexes',
        'applied 0017-audit-alarm-epochs',
        '',
      ].join('\n'),
      stderr: '',
    });
    expect(await run(['migrate'])).toEqual({ code: 0, stdout: 'The database is up to date.\n', stderr: '' });
  });

  it('operator create and tenant create work beside it, and their keys at the gateway', async () => {
    const operator = await run(['operator', 'create', 'first', '--json']);
    expect(operator).toMatchObject({ code: 0, stderr: '' });
    const { apiKey, apiKeyId } = JSON.parse(operator.stdout);
    expect(apiKey).toContain(apiKeyId.slice('api_'.length));
    const tenant = await run(['tenant', 'create', 'Acme', '--json']);
    const { tenantId, adminApiKey } = JSON.parse(tenant.stdout);
    const people = await run(['tenant', 'create', 'Other']);
    expect(people.stdout).toMatch(/^Tenant {5}ten_\w+\nADMIN key {2}sd_live_\S+\n/);

    const [port = 0] = await freePorts(1);
    const url = `http://localhost:${port}`;
    await using gateway = await startProgram(['serve'], {
      cwd: folder,
      env: { ...data, PORT: String(port) },
      until: /Listening/,
    });
    const viewer = async (key: string): Promise<unknown> => {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body: JSON.stringify({ query: '{ viewer { apiKey { roles } tenant { id name } } }' }),
      });
      return response.json();
    };
    expect(await viewer(apiKey)).toMatchObject({ data: { viewer: { apiKey: { roles: ['OPERATOR'] } } } });
    expect(await viewer(adminApiKey)).toMatchObject({
      data: { viewer: { apiKey: { roles: ['ADMIN'] }, tenant: { id: tenantId, name: 'Acme' } } },
    });

    // The folder is held now.
    expectOneLine(await run(['operator', 'create']), new RegExp(`sealdesk operator create --url ${url}`));
    expectOneLine(
      await run(['tenant', 'create', 'X']),
      new RegExp(`sealdesk tenant create NAME --url ${url}`),
    );
    expectOneLine(await run(['migrate']), new RegExp(`in use by process ${gateway.pid} at ${url}`));
    const doctor = await run(['doctor']);
    expect(doctor.code).toBe(0);
    expect(doctor.stdout).toContain(`held by process ${gateway.pid} at ${url}`);
    expect(doctor.stdout).toMatch(/ok +Gateway: .* is ready/);

    const remote = await runProgram(
      ['tenant', 'create', 'Remote', '--json', '--url', url, '--api-key-file', '-'],
      { cwd: folder, env: data, input: `${apiKey}\n` },
    );
    expect(remote).toMatchObject({ code: 0, stderr: '' });
    expect(await viewer(JSON.parse(remote.stdout).adminApiKey)).toMatchObject({
      data: { viewer: { tenant: { name: 'Remote' } } },
    });
    const second = await run(['operator', 'create', 'second', '--json', '--url', url, '--api-key', apiKey]);
    expect(await viewer(JSON.parse(second.stdout).apiKey)).toMatchObject({
      data: { viewer: { apiKey: { roles: ['OPERATOR'] } } },
    });
    expectOneLine(
      await run(['tenant', 'create', 'X', '--url', url, '--api-key', adminApiKey]),
      /\(FORBIDDEN\)/,
    );

    const { code, stderr } = await gateway.stop();
    expect(code).toBe(0);
    expect(stderr).toContain('Stopping');
    expect(existsSync(join(data.SEALDESK_DATA_DIR, 'sealdesk.lock'))).toBe(false);
    // It starts fourteen programs.
  }, 180_000);

  it('doctor opens it where nobody holds it', async () => {
    const { code, stdout } = await run(['doctor']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/ok +Database: embedded PostgreSQL \d+/);
    expect(stdout).toMatch(/ok +Credentials: none rests on a Zendesk API token/);
    expect(stdout).toMatch(/ok +KMS: local key file/);
  });

  it('doctor finds a key file that others can read, and one that is lost', async () => {
    const file = join(data.SEALDESK_DATA_DIR, 'kms.key');
    chmodSync(file, 0o644);
    const wide = await run(['doctor']);
    expect(wide.code).toBe(1);
    expect(wide.stdout).toMatch(/wrong +KMS: .* mode 0644/);
    const lost = await run(['doctor'], { ...data, SEALDESK_KMS_KEY_FILE: join(folder, 'none.key') });
    expect(lost.code).toBe(1);
    expect(lost.stdout).toMatch(/wrong +KMS: .* is missing/);
    expectOneLine(await run(['operator', 'create']), /chmod 600/);
  });
});

describe('settings that cannot be used', () => {
  it.each([
    [{ PORT: '99999' }, /PORT must be a number from 1 to 65535/],
    [{ SEALDESK_NONE: '1' }, /no setting SEALDESK_NONE/],
    [{ SEALDESK_KMS: 'aws' }, /needs SEALDESK_KMS_KEY_ARN/],
  ])('end the program with one line: %j', async (env, reason) => {
    expectOneLine(await run(['serve'], { ...data, ...env }), reason);
  });
});

describe('what cannot be reached', () => {
  it('is a database that does not answer, named by its setting', async () => {
    const env = { DATABASE_URL: 'postgres://me:not-to-be-shown@127.0.0.1:1/sealdesk' };
    for (const command of ['serve', 'migrate']) {
      expectOneLine(
        await run([command], env),
        /The database cannot be reached \(ECONNREFUSED\)\. Check DATABASE_URL\.$/m,
      );
    }
  });
});

describe('a port in use', () => {
  let server: Server;
  let port = 0;
  beforeAll(async () => {
    [port = 0] = await freePorts(1);
    server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('is named, for the gateway and for the simulator, and the folder is free again', async () => {
    const folderOf = { SEALDESK_DATA_DIR: join(folder, 'ports') };
    const [free = 0] = await freePorts(1);
    const inUse = new RegExp(`Port ${port}.* is in use`);
    expectOneLine(await run(['serve'], { ...folderOf, PORT: String(port) }), inUse);
    const asSimulator = ['demo', '--simulator-port', String(port)];
    expectOneLine(await run(asSimulator, { ...folderOf, PORT: String(free) }), inUse);
    expectOneLine(await run(asSimulator, { ...folderOf, PORT: String(port) }), /also the simulator's port/);
    expect(existsSync(join(folderOf.SEALDESK_DATA_DIR, 'sealdesk.lock'))).toBe(false);
  });
});

describeOnBothDatabases('migrate and doctor', (kind) => {
  it('agree on a database, before its tables are there and after', async () => {
    await using database = await createTestDatabase(kind);
    const { connectionString } = database;
    const env = {
      SEALDESK_DATA_DIR: join(folder, kind),
      ...(connectionString === null ? {} : { DATABASE_URL: connectionString }),
    };
    const before = await run(['doctor'], env);
    expect(before.code).toBe(0);
    expect(before.stdout).toMatch(/note +Database: .* made .*at the first start/);
    expect((await run(['migrate'], env)).stdout).toContain('applied 0001-foundation');
    const { stdout } = await run(['doctor'], env);
    expect(stdout).toMatch(/ok +Database: (embedded )?PostgreSQL \d+/);
    expect(stdout).toMatch(/ok +Credentials: none rests on a Zendesk API token/);
    expect(stdout).not.toMatch(/wrong +Database/);
  });
});

describeOnPostgres('doctor with a login of few rights', () => {
  it('says what keeps access syncs from running, and what an administrator runs', async () => {
    await using database = await createTestDatabase('postgres');
    const login = `sealdesk_test_${randomUUID().replaceAll('-', '')}`;
    const client = new pg.Client({ connectionString: database.connectionString ?? '' });
    await client.connect();
    try {
      await client.query(`CREATE ROLE ${login} LOGIN PASSWORD 'few'`);
      const url = new URL(database.connectionString ?? '');
      url.username = login;
      url.password = 'few';
      const env = { DATABASE_URL: url.href };
      const grant = `GRANT CREATE ON DATABASE ${url.pathname.slice(1)} TO ${login};`;
      const { stdout } = await run(['doctor'], env);
      expect(stdout).toMatch(/note +Access sync: .* may not make the job queue/);
      expect(stdout).toContain(grant);
      await client.query(grant);
      expect((await run(['doctor'], env)).stdout).not.toContain('Access sync');
    } finally {
      // What it was granted goes with it.
      await client.query(`DROP OWNED BY ${login}`);
      await client.query(`DROP ROLE ${login}`);
      await client.end();
    }
  });
});

describe('doctor on PostgreSQL', () => {
  it('says that nobody answers, and shows no password', async () => {
    const env = { DATABASE_URL: 'postgres://me:not-to-be-shown@127.0.0.1:1/sealdesk' };
    const { code, stdout, stderr } = await run(['doctor'], env);
    expect(code).toBe(1);
    expect(stdout).toMatch(/DATABASE_URL +\(set\)/);
    expect(stdout).toMatch(/wrong +Database: it cannot be reached \(ECONNREFUSED\)/);
    expect(stdout + stderr).not.toContain('not-to-be-shown');
  });
});
