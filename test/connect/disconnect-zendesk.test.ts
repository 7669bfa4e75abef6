/** Access is taken back: at Zendesk and here, and honestly told where it could not be. */
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { codeOf, type House, readEvent, useHouse } from '../service/house.ts';
import type { RestAnswer } from '../support/gateway.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import {
  addIntegration,
  CLIENT,
  callTicket,
  connectInBrowser,
  readIntegration,
  unseal,
} from './connecting.ts';

function disconnect(
  { gateway, tenant }: House,
  integrationId: string,
  apiKey = tenant.keys.admin,
): Promise<RestAnswer> {
  return gateway.graphql(
    `mutation($id: ID!) { disconnectZendesk(integrationId: $id) {
      integration { id credentialId allowedOperations status } deletedId isRevoked message auditEventId } }`,
    { apiKey, variables: { id: integrationId } },
  );
}

describeOnBothDatabases('disconnectZendesk', (database) => {
  const house = useHouse(database);

  async function connected(): Promise<{ readonly id: string; readonly credentialId: string }> {
    const { id } = await addIntegration(house());
    const { connection } = await connectInBrowser(house(), id);
    return { id, credentialId: connection.credentialId ?? '' };
  }

  it('revokes the access at Zendesk, deletes the credential, and keeps integration, policy and history', async () => {
    const { gateway, tenant } = house();
    const { id, credentialId } = await connected();
    const { access_token: token } = await unseal(house(), credentialId);
    const before = await readIntegration(house(), id);
    const { json } = await disconnect(house(), id);
    const { integration, auditEventId, ...told } = json.data.disconnectZendesk;
    expect(told).toMatchObject({ deletedId: credentialId, isRevoked: true });
    expect(integration).toEqual({
      id,
      credentialId: null,
      allowedOperations: before.allowedOperations,
      status: 'ACTIVE',
    });
    expect(gateway.simulator.revokeAccessToken(String(token))).toBe(false);
    expect(await readEvent(gateway, tenant.keys.auditor, auditEventId)).toMatchObject({
      action: 'connection.end',
      phase: 'OUTCOME',
      outcome: 'SUCCEEDED',
      integrationId: id,
    });
    const gone = await gateway.graphql('query($id: ID!) { node(id: $id) { id } }', {
      apiKey: tenant.keys.admin,
      variables: { id: credentialId },
    });
    expect(codeOf(gone)).toBe('NOT_FOUND');
    expect(await callTicket(house(), id)).not.toBe(200);
    expect(codeOf(await disconnect(house(), id))).toBe('CONFLICT');
    const { connection } = await connectInBrowser(house(), id);
    expect(connection).toMatchObject({ status: 'CONNECTED', replacedCredentialId: null });
    expect(await callTicket(house(), id)).toBe(200);
  });

  it('deletes the credential also where Zendesk cannot be told, and says that it was not revoked there', async () => {
    const { gateway } = house();
    const { id, credentialId } = await connected();
    const { access_token: token } = await unseal(house(), credentialId);
    gateway.simulator.faults.add({ method: 'DELETE', effect: { kind: 'status', status: 500 } });
    const { json } = await disconnect(house(), id);
    gateway.simulator.faults.clear();
    expect(json.data.disconnectZendesk).toMatchObject({
      deletedId: credentialId,
      isRevoked: false,
      message: expect.stringContaining('could not be told'),
    });
    expect((await readIntegration(house(), id)).credentialId).toBeNull();
    expect(gateway.simulator.revokeAccessToken(String(token))).toBe(true);
  });

  it('takes for revoked what Zendesk does not accept any more', async () => {
    const { gateway } = house();
    const { id, credentialId } = await connected();
    const { access_token: token } = await unseal(house(), credentialId);
    gateway.simulator.revokeAccessToken(String(token));
    const { json } = await disconnect(house(), id);
    expect(json.data.disconnectZendesk).toMatchObject({ deletedId: credentialId, isRevoked: true });
    expect((await readIntegration(house(), id)).status).toBe('ACTIVE');
  });

  it.each([
    { reason: 'REFUSED', isRevoked: false },
    { reason: 'LOST_IN_REFRESH', isRevoked: false },
    { reason: 'EXPIRED', isRevoked: true },
  ] as const)('after a loss by $reason says $isRevoked', async ({ reason, isRevoked }) => {
    const { gateway, clock } = house();
    const { id, credentialId } = await connected();
    await gateway.store.withSystem('tenant-administration', (tx) =>
      tx
        .updateTable('integrations')
        .set({
          status: 'NEEDS_RECONNECT',
          reconnect_reason: reason,
          reconnect_since: new Date(clock.now()),
        })
        .where('id', '=', id)
        .execute(),
    );
    const { json } = await disconnect(house(), id);
    expect(json.data.disconnectZendesk).toMatchObject({
      ...{ deletedId: credentialId, isRevoked },
      message: isRevoked ? expect.any(String) : expect.stringContaining('Admin Center'),
      integration: { status: 'ACTIVE' },
    });
  });

  it('says that nothing was revoked where the tokens are lost by the very call', async () => {
    const { gateway, clock } = house();
    const { id } = await connected();
    // Due, and not yet at its end.
    clock.advance(172_800_000 - 200_000);
    gateway.simulator.faults.add({
      ...{ method: 'POST', path: '/oauth/tokens', count: 1 },
      effect: { kind: 'close', applied: true },
    });
    const { json } = await disconnect(house(), id);
    gateway.simulator.faults.clear();
    expect(json.data.disconnectZendesk).toMatchObject({
      isRevoked: false,
      message: expect.stringContaining('Admin Center'),
    });
  });

  it('says of an OAuth client that its secret goes on giving tokens', async () => {
    const { gateway, tenant } = house();
    const sealed = await gateway.graphql(
      `mutation($secret: JSONObject!) {
        sealCredential(input: { type: OAUTH2_CLIENT, secret: $secret }) { credential { id } } }`,
      {
        apiKey: tenant.keys.admin,
        variables: { secret: { client_id: CLIENT.clientId, client_secret: CLIENT.clientSecret } },
      },
    );
    const { id } = await addIntegration(house(), {
      credentialId: sealed.json.data.sealCredential.credential.id,
    });
    expect(await callTicket(house(), id)).toBe(200);
    const { json } = await disconnect(house(), id);
    expect(json.data.disconnectZendesk).toMatchObject({
      isRevoked: false,
      message: expect.stringContaining('another secret'),
    });
    const deleted = gateway.simulator.requests.entries.findLast(({ method }) => method === 'DELETE');
    expect(deleted?.status).toBe(204);
  });

  // PGlite has one connection: nobody waits for a lock there.
  if (database === 'postgres')
    it('takes its locks in the order of who finds a credential refused', async () => {
      const { gateway, tenant } = house();
      const { id, credentialId } = await connected();
      // Notes the use of the credential, so that disconnecting has no lock to wait for before its last step.
      expect(await callTicket(house(), id)).toBe(200);
      const held = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      let isOver = false;
      const finding = gateway.store.withTenant(tenant.id, async (tx) => {
        await tx.selectFrom('credentials').select('id').where('id', '=', credentialId).forShare().execute();
        held.resolve();
        await begun.promise;
        const waiting = sql<{ count: string }>`SELECT count(*) FROM pg_locks
          WHERE NOT granted AND transactionid = pg_current_xact_id()::xid`;
        while (!isOver && Number((await waiting.execute(tx)).rows[0]?.count) === 0) await setImmediate();
        await tx.updateTable('integrations').set({ name: 'Found' }).where('id', '=', id).execute();
      });
      await held.promise;
      const disconnecting = disconnect(house(), id).finally(() => {
        isOver = true;
      });
      begun.resolve();
      const [{ json }] = await Promise.all([disconnecting, finding]);
      expect(json.data?.disconnectZendesk).toMatchObject({
        isRevoked: true,
        integration: { id },
      });
    });

  it('says of an API token that it has to be deactivated in Zendesk', async () => {
    const { id, credentialId } = await addIntegration(house());
    const { json } = await disconnect(house(), id);
    expect(json.data.disconnectZendesk).toMatchObject({
      deletedId: credentialId,
      isRevoked: false,
      message: expect.stringContaining('Admin Center'),
    });
  });

  it('takes no access away that another integration needs, and none from a feed that is on', async () => {
    const { gateway, tenant } = house();
    const { id, credentialId } = await connected();
    const sharing = await addIntegration(house(), { credentialId });
    const shared = await disconnect(house(), id);
    expect(codeOf(shared)).toBe('CONFLICT');
    expect(shared.json.errors[0].extensions.subject).toBe(sharing.id);
    expect(await callTicket(house(), id)).toBe(200);
    const { id: followed } = await addIntegration(house(), { allowedOperations: ['subscribe_tickets'] });
    const enabled = await gateway.graphql(
      'mutation($id: ID!) { enableTicketFeed(integrationId: $id) { auditEventId } }',
      { apiKey: tenant.keys.admin, variables: { id: followed } },
    );
    expect(codeOf(enabled)).toBeNull();
    const refused = await disconnect(house(), followed);
    expect(codeOf(refused)).toBe('CONFLICT');
    expect(refused.json.errors[0].message).toContain('disableTicketFeed');
  });

  it('is for admins of the tenant', async () => {
    const { tenant, other } = house();
    const { id } = await addIntegration(house());
    expect(codeOf(await disconnect(house(), id, tenant.keys.agent))).toBe('FORBIDDEN');
    expect(codeOf(await disconnect(house(), id, other.keys.admin))).toBe('NOT_FOUND');
    expect(await callTicket(house(), id)).toBe(200);
  });
});
