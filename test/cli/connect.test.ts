/** `sealdesk connect` against a gateway that listens, as a shell runs it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIENT, comeBack } from '../connect/connecting.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';
import { runHere } from './program.ts';

const resources = new AsyncDisposableStack();
let listening: ListeningGateway;
let tenant: TestTenant;

beforeAll(async () => {
  listening = resources.use(await openListeningGateway({ simulator: { tickets: 1 } }));
  tenant = await createTestTenant(listening.gateway);
}, 60_000);
afterAll(() => resources.disposeAsync());

function run(args: readonly string[], input = '') {
  const { url } = listening;
  return runHere(['connect', ...args, '--url', url, '--api-key', tenant.keys.admin], input);
}

/** The address that the gateway has answered, once it has. */
async function answeredAddress(): Promise<string> {
  for (;;) {
    await listening.untilIdle();
    const sent = listening.sent.findLast((text) => text.includes('authorizationUrl'));
    if (sent !== undefined) return JSON.parse(sent).data.connectZendesk.authorizationUrl;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('sealdesk connect', () => {
  it('prints where to go, waits, and says what is connected', async () => {
    const { simulator } = listening.gateway;
    const args = [tenant.integrationId, '--client-id', CLIENT.clientId, '--client-secret-file', '-'];
    const running = run(args, `${CLIENT.clientSecret}\n`);
    const address = await answeredAddress();
    await comeBack(listening.gateway, simulator.oauth.consent(address));
    const { code, stdout, stderr } = await running;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(address);
    expect(stdout).toContain(`Connected: ${tenant.integrationId} uses cred_`);
    expect(stdout).toContain(`Next: delete ${tenant.credentialId}`);
    expect(stdout).not.toContain(CLIENT.clientSecret);
  });

  it('says what went wrong, with exit code 1', async () => {
    listening.sent.length = 0;
    const { simulator } = listening.gateway;
    const running = run([tenant.integrationId]);
    const address = await answeredAddress();
    await comeBack(listening.gateway, simulator.oauth.consent(address, { decision: 'deny' }));
    const { code, stdout } = await running;
    expect(code).toBe(1);
    expect(stdout).toContain('Not connected (ACCESS_DENIED)');
  });

  it('needs an ADMIN key, and a client id with a secret', async () => {
    const url = ['--url', listening.url];
    const agent = await runHere(['connect', tenant.integrationId, ...url, '--api-key', tenant.keys.agent]);
    expect(agent).toMatchObject({ code: 1, stdout: '' });
    expect(agent.stderr).toContain('FORBIDDEN');
    expect(await runHere(['connect', tenant.integrationId, ...url])).toMatchObject({ code: 2 });
    expect(await run([tenant.integrationId, '--client-secret-file', 'x'])).toMatchObject({ code: 2 });
    expect(
      await run([tenant.integrationId, '--client-id', 'x', '--client-secret-file', '-'], '  '),
    ).toMatchObject({
      code: 1,
    });
  });
});
