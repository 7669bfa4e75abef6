/** Switching a feed while another call switches it, or removes its integration: one of the two takes place, and the other says so. */
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { enableFeed, lockLog, readFeed } from '../../../src/feed/index.ts';
import { createServices, ensureInstallation, type Services } from '../../../src/service/index.ts';
import { codeOf } from '../../service/house.ts';
import { describeOnBothDatabases, describeOnPostgres } from '../../support/store.ts';
import { dataOf } from '../../support/tenant.ts';
import { eventually, openSourceRig, type SourceRig } from './source-rig.ts';

const DELETE = 'mutation($id: ID!) { deleteIntegration(id: $id) { deletedId } }';

/** Who waits for a lock in this database. */
const LOCK_WAITS = sql`SELECT 1 FROM pg_locks WHERE NOT granted AND pid IN (
  SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE d.datname = current_database())`;

function deleteIntegration({ gateway, tenant }: SourceRig) {
  const { keys, integrationId } = tenant;
  return gateway.graphql(DELETE, { apiKey: keys.admin, variables: { id: integrationId } });
}

/** Services whose first call to Zendesk is made after `meanwhile`. */
async function interrupted({ deps }: SourceRig, meanwhile: () => Promise<unknown>): Promise<Services> {
  let isDone = false;
  const between = {
    ...deps,
    connections: {
      clientFor(...wish: Parameters<typeof deps.connections.clientFor>) {
        const client = deps.connections.clientFor(...wish);
        return {
          ...client,
          async request(...request: Parameters<typeof client.request>) {
            if (!isDone) {
              isDone = true;
              await meanwhile();
            }
            return client.request(...request);
          },
        };
      },
    },
  };
  return createServices(between, (await ensureInstallation(deps)).id);
}

describeOnBothDatabases('A feed that is switched', (kind) => {
  test.each([
    ['on', 'off', 'DISABLED'],
    ['off', 'on', 'ENABLED'],
    ['off', 'off', 'DISABLED'],
  ] as const)('%s while it is switched %s stays as the other call left it', async (wish, other, status) => {
    await using rig = await openSourceRig(kind);
    await rig.enable();
    const services = await interrupted(rig, () => (other === 'on' ? rig.enable() : rig.disable()));
    const call = await rig.callOf(rig.tenant.keys.admin);
    const { integrationId } = rig.tenant;
    const switched =
      wish === 'on'
        ? services.enableTicketFeed(call, { integrationId })
        : services.disableTicketFeed(call, { integrationId });
    await expect(switched).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await rig.status()).toMatchObject({ status });
    await (wish === 'on' ? rig.enable() : rig.disable());
    expect(rig.simulator.webhooks.list()).toHaveLength(wish === 'on' ? 1 : 0);
  });

  test('on while its integration is removed is gone', async () => {
    await using rig = await openSourceRig(kind);
    await rig.enable();
    await rig.disable();
    const services = await interrupted(rig, async () => dataOf(await deleteIntegration(rig)));
    const call = await rig.callOf(rig.tenant.keys.admin);
    const { integrationId } = rig.tenant;
    await expect(services.enableTicketFeed(call, { integrationId })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describeOnPostgres('An integration', () => {
  test.each([
    'first',
    'second',
  ])('whose feed is being switched on for the %s time is not removed', async (time) => {
    await using rig = await openSourceRig('postgres');
    const { gateway, tenant } = rig;
    const { integrationId, id: tenantId } = tenant;
    if (time === 'second') {
      await rig.enable();
      await rig.disable();
    }
    const key = { tenantId, integrationId };
    const { promise: isHeld, resolve: hold } = Promise.withResolvers<void>();
    const switching = gateway.store.withTenant(tenantId, async (tx) => {
      await lockLog(tx, tenantId, integrationId);
      await sql`SELECT 1 FROM integrations WHERE id = ${integrationId} FOR SHARE`.execute(tx);
      const version = (await readFeed(tx, key))?.webhookVersion ?? 0;
      await enableFeed(tx, {
        ...key,
        ...{ at: new Date(), webhook: null, webhookFault: null, webhookVersion: version + 1, exportStart: 1 },
      });
      hold();
      await eventually(
        async () => (await LOCK_WAITS.execute(tx)).rows.length,
        (waiting) => waiting > 0,
      );
    });
    await isHeld;
    const removal = deleteIntegration(rig);
    await switching;
    expect(codeOf(await removal)).toBe('CONFLICT');
    expect(await rig.status()).toMatchObject({ status: 'ENABLED' });
  });
});
