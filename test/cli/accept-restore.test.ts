/** A log that lost its newest entries, from the start that finds it to the one after it was accepted. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, it } from 'vitest';
import { createTestDatabase, describeOnPostgres } from '../support/store.ts';
import { freePorts, runHere, runProgram, startProgram } from './program.ts';

const cwd = mkdtempSync(join(tmpdir(), 'sealdesk-restore-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

it('audit accept-restore asks for a reason', async () => {
  expect(await runHere(['audit', 'accept-restore', 'ten_x'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--reason is missing'),
  });
});

describeOnPostgres('audit accept-restore', () => {
  it('goes on with a log that a start found altered', async () => {
    await using database = await createTestDatabase('postgres');
    const [port = 0] = await freePorts(1);
    const env = {
      SEALDESK_DATA_DIR: join(cwd, 'data'),
      DATABASE_URL: database.connectionString ?? '',
      PORT: String(port),
    };
    const run = (...args: string[]) => runProgram(args, { cwd, env });
    const readiness = async (): Promise<unknown> => (await fetch(`http://127.0.0.1:${port}/readyz`)).json();
    const { tenantId, adminApiKey } = JSON.parse((await run('tenant', 'create', 'Acme', '--json')).stdout);
    const viewer = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': adminApiKey },
        body: JSON.stringify({ query: '{ viewer { tenant { id } } }' }),
      });
      return JSON.stringify(await response.json());
    };

    const client = new pg.Client({ connectionString: env.DATABASE_URL });
    await client.connect();
    await client.query('ALTER TABLE audit_events DISABLE TRIGGER USER');
    await client.query('DELETE FROM audit_events WHERE tenant_id = $1', [tenantId]);
    await client.query('ALTER TABLE audit_events ENABLE TRIGGER USER');
    await client.end();
    {
      await using gateway = await startProgram(['serve'], { cwd, env, until: /Listening/ });
      expect(await readiness()).toEqual({ status: 'not ready', database: true, keys: true, audit: false });
      expect(await viewer()).toContain('AUDIT_UNAVAILABLE');
      expect((await gateway.stop()).stderr).toMatch(/LOG_TRUNCATED.*was found altered/);
    }
    const doctor = await run('doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/ok +Audit: the anchor .*audit-anchor can be used/);
    expect(doctor.stdout).toMatch(
      new RegExp(`wrong +Audit: the log of ${tenantId} was found altered \\(LOG_TRUNCATED\\)`),
    );

    const accepted = await run('audit', 'accept-restore', tenantId, '--reason', 'backup-restored', '--json');
    expect(accepted).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(accepted.stdout)).toMatchObject({
      ...{ tenantId, epoch: 2, size: 1, lost: 0 },
      previous: { epoch: 1, size: 1 },
    });

    await using _ = await startProgram(['serve'], { cwd, env, until: /Listening/ });
    expect(await readiness()).toMatchObject({ status: 'ready', audit: true });
    expect(await viewer()).toContain(tenantId);
  });
});
