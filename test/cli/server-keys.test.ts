/** `sealdesk server-keys` against a gateway that listens, as a shell runs it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runKeyRotations } from '../../src/service/index.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';
import { type Outcome, runHere } from './program.ts';

const resources = new AsyncDisposableStack();
let listening: ListeningGateway;
let tenant: TestTenant;

beforeAll(async () => {
  listening = resources.use(await openListeningGateway({ simulator: { tickets: 1 } }));
  tenant = await createTestTenant(listening.gateway);
}, 60_000);
afterAll(() => resources.disposeAsync());

function run(args: readonly string[], apiKey = tenant.keys.admin): Promise<Outcome> {
  return runHere(['server-keys', ...args, '--url', listening.url, '--api-key', apiKey]);
}

describe('sealdesk server-keys', () => {
  it('shows the keys of a tenant, to its admin and to the operator', async () => {
    const { code, stdout, stderr } = await run(['status']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Tenant ${tenant.id}`);
    expect(stdout).toMatch(/local:[0-9a-f]{32} {2}6 secrets, 1 credentials, 0 access tokens/);
    expect(stdout).toMatch(/[\w-]{43} {2}ACTIVE {3}version 1, from /);
    const { operatorKey } = listening.gateway;
    expect((await run(['status', '--tenant', tenant.id], operatorKey)).stdout).toBe(stdout);
    expect(JSON.parse((await run(['status', '--json'])).stdout)).toMatchObject({
      ...{ tenantId: tenant.id, kmsKeyArn: null, rotations: [] },
    });
  });

  it('tells others than these that they may not', async () => {
    expect(await run(['status'], tenant.keys.agent)).toMatchObject({ code: 1, stdout: '' });
    const kms = await run(['rotate', 'kms']);
    expect(kms).toMatchObject({ code: 1, stdout: '' });
    expect(kms.stderr).toContain('FORBIDDEN');
  });

  it('changes the signing key and takes that back', async () => {
    const made = await run(['rotate', 'signing']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/^[\w-]{43} {2}PENDING {2}version 2, from \S+\n$/);
    expect((await run(['rotate', 'signing'])).stderr).toContain('pending');
    expect((await run(['cancel'])).stdout).toMatch(/REVOKED {2}version 2/);
    const now = await run(['rotate', 'signing', '--now', '--json']);
    expect(JSON.parse(now.stdout)).toMatchObject({ version: 3, status: 'ACTIVE' });
  });

  it('changes the vault key and shows how far that is until nothing is left', async () => {
    const rotating = run(['rotate', 'vault', '--wait']);
    const holder = 'test';
    const { signal } = new AbortController();
    const { deps } = listening.gateway;
    // What the gateway's own worker does every ten seconds.
    const begun = Promise.withResolvers<void>();
    const watching = await listening.gateway.store.listen((channel, id) => {
      if (channel === 'keys' && id === tenant.id) begun.resolve();
    });
    await begun.promise;
    await watching[Symbol.asyncDispose]();
    await runKeyRotations(deps, { holder, signal });
    const { code, stdout, stderr } = await rotating;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^vault key: 1 -> 2 {2}RUNNING, 0 of 1 records re-wrapped\n/);
    expect(stdout).toMatch(/1 of 1 records re-wrapped; the old key is done with in some minutes\n$/);
    expect((await run(['status'])).stdout).toContain('version 2  1 credentials');
  });
});
