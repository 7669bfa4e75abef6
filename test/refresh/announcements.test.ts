/** What is said of connections before they end: by the doctor, to who measures, and in the graph. */

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_EMAIL, DEFAULT_API_TOKEN } from '../../simulator/index.ts';
import { checkConnections } from '../../src/cli/doctor/connection-findings.ts';
import { readAllConnections } from '../../src/service/index.ts';
import { openRig, type Rig } from '../proxy/rig.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { connectionOf, issuePair, sealSecret, updateIntegration } from './pair.ts';

const DAY = 86_400_000;
const END = Date.parse('2027-04-30T00:00:00Z');

describeOnBothDatabases('the end of a connection', (kind) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ database: kind });
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  const findings = async (now = Date.now()) => {
    const look = (statement: string) =>
      rig.gateway.store.withSystem(
        'tenant-administration',
        async (tx) => (await sql.raw(statement).execute(tx)).rows,
      );
    return (await checkConnections(look, now)).map(({ verdict, text }) => `${verdict} ${text}`);
  };
  const assignPair = async (refreshExpiresIn: number) => {
    const { gateway, tenant, clock } = rig;
    const pair = issuePair(gateway.simulator, { now: clock.now(), refreshExpiresIn });
    const credentialId = await sealSecret(gateway, tenant, pair.secret);
    await updateIntegration(gateway, tenant, { credentialId });
    return { ...pair, credentialId };
  };

  it('is told of an API token: the days that are left, and the one command that moves it', async () => {
    const { gateway, tenant } = rig;
    const { credentialId, integrationId } = tenant;
    const spare = await sealSecret(
      gateway,
      tenant,
      { username: ADMIN_EMAIL, password: DEFAULT_API_TOKEN },
      'BASIC_AUTH',
    );
    expect(await findings(END - 40 * DAY)).toEqual([
      `note Credentials: ${credentialId} rests on an API token (basic_auth); 40 days left until Zendesk ends it, on 2027-04-30. Move ${integrationId} to OAuth, with the same id, policy and history: sealdesk connect ${integrationId}`,
      `note Credentials: ${spare} rests on an API token (basic_auth); 40 days left until Zendesk ends it, on 2027-04-30. No integration uses it: delete it with deleteCredential.`,
      'ok Connections: none is to be made again, no refresh token ends within 14 days',
    ]);
    expect((await findings(END + DAY))[0]).toContain('Zendesk has ended it');
    const { connection } = await connectionOf(gateway, tenant);
    expect(connection).toMatchObject({
      ...{ status: 'CONNECTED', credentialType: 'BASIC_AUTH', restsOnApiToken: true },
      endsAt: '2027-04-30T00:00:00.000Z',
      daysLeft: Math.max(0, Math.floor((END - rig.clock.now()) / DAY)),
    });
    expect(connection['remedy']).toContain(`sealdesk connect ${integrationId}`);
    const { ends, needReconnect } = await readAllConnections(gateway.deps);
    expect(needReconnect).toBe(0);
    expect(ends).toEqual([{ integrationId, seconds: expect.closeTo((END - rig.clock.now()) / 1_000, -2) }]);
  });

  it('is told of a refresh token within 14 days of it, and not before', async () => {
    const { gateway, tenant } = rig;
    const { integrationId } = tenant;
    await assignPair(20 * 86_400);
    expect((await findings()).filter((text) => text.includes('Connections'))).toEqual([
      'ok Connections: none is to be made again, no refresh token ends within 14 days',
    ]);
    expect((await connectionOf(gateway, tenant)).connection).toMatchObject({
      ...{ credentialType: 'OAUTH2_TOKEN', restsOnApiToken: false, remedy: null, daysLeft: 19 },
    });
    await assignPair(8 * 86_400);
    expect((await findings()).filter((text) => text.includes('Connections'))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^note Connections: the refresh token of ${integrationId} ends in 7 days, at .*sealdesk connect ${integrationId}$`,
        ),
      ),
    ]);
    const { connection } = await connectionOf(gateway, tenant);
    expect(connection['endsAt']).toBe(connection['refreshTokenExpiresAt']);
    expect(connection['remedy']).toContain(`sealdesk connect ${integrationId}`);
    const { ends } = await readAllConnections(gateway.deps);
    expect(ends).toEqual([{ integrationId, seconds: expect.closeTo(8 * 86_400, -3) }]);
  });

  it('is told when it has come', async () => {
    const { gateway, tenant } = rig;
    const { accessToken } = await assignPair(30 * 86_400);
    gateway.simulator.revokeAccessToken(accessToken);
    await tenant.proxy('get_ticket', { ticket_id: 7 });
    expect((await findings()).filter((text) => text.includes('Connections'))).toEqual([
      expect.stringMatching(
        new RegExp(
          `^note Connections: ${tenant.integrationId} needs to be connected again since .* \\(REFUSED\\)`,
        ),
      ),
    ]);
    expect(await readAllConnections(gateway.deps)).toEqual({ ends: [], needReconnect: 1 });
  });
});
