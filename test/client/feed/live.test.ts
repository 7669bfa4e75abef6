/** The SDK against a whole gateway, over the sockets and the `fetch` of the platform. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  clientKeyFromFile,
  createClient,
  encodeKeyFile,
  type SealdeskClient,
  subscribeTicketChanges,
} from '../../../src/client/index.ts';
import { createTestApiKey, dataOf } from '../../support/tenant.ts';
import { type LiveGateway, openLiveGateway } from './live-gateway.ts';
import { TRANSPORTS, take } from './rig.ts';

const resources = new AsyncDisposableStack();
let live: LiveGateway;

beforeAll(async () => {
  live = resources.use(await openLiveGateway());
}, 120_000);
afterAll(() => resources.disposeAsync());

async function openClient(apiKey: string): Promise<SealdeskClient> {
  const { listening, tenant } = live;
  const clientKey = await clientKeyFromFile(encodeKeyFile(tenant.keyFile));
  if (clientKey.state !== 'WELCOMED') throw new TypeError('The key of a test tenant is welcomed');
  return createClient({ url: listening.url, apiKey, clientKey });
}

describe.each(TRANSPORTS)('a gateway over %s', (transport) => {
  it('brings each change, opened, and goes on after a cursor', async () => {
    const { tenant, createTicket } = live;
    const client = await openClient(tenant.keys.dashboard);
    const { integrationId } = tenant;
    await using changes = subscribeTicketChanges({ client, integrationId, transport });
    const pinned = await changes.ready();
    const ids = [createTicket('Größe'), createTicket('Next')];
    const taken = await take(changes, 2);
    expect(taken.map(({ content }) => content)).toEqual([
      expect.objectContaining({
        kind: 'CHANGED',
        ticket_id: ids[0],
        ticket: expect.objectContaining({ subject: 'Größe' }),
      }),
      expect.objectContaining({
        kind: 'CHANGED',
        ticket_id: ids[1],
        ticket: expect.objectContaining({ subject: 'Next' }),
      }),
    ]);
    await changes.return();

    await using again = subscribeTicketChanges({ client, integrationId, after: pinned, transport });
    expect(await take(again, 2)).toEqual(taken);
    await using last = subscribeTicketChanges({
      client,
      integrationId,
      after: taken[0]?.cursor ?? '',
      transport,
    });
    expect(await take(last, 1)).toEqual(taken.slice(1));
  });

  it('refuses for good who may not have them', async () => {
    const { listening, tenant } = live;
    const refusal = async (apiKey: string, integrationId = tenant.integrationId): Promise<unknown> => {
      const client = await openClient(apiKey);
      const error = await subscribeTicketChanges({ client, integrationId, transport })
        .next()
        .catch((reason: unknown) => reason);
      return Object(error).code;
    };
    expect(await refusal('sd_live_unknown')).toBe('UNAUTHENTICATED');
    expect(await refusal(tenant.keys.auditor)).toBe('FORBIDDEN');
    const other = await createTestApiKey(listening.gateway, tenant.keys.admin, {
      roles: ['DASHBOARD'],
      allowedOperations: ['search'],
    });
    expect(await refusal(other)).toBe('OPERATION_NOT_ALLOWED');
  });

  it('tells a subscriber at once that its API key was revoked', async () => {
    const { listening, tenant } = live;
    const apiKey = await createTestApiKey(listening.gateway, tenant.keys.admin, { roles: ['DASHBOARD'] });
    const client = await openClient(apiKey);
    await using changes = subscribeTicketChanges({ client, integrationId: tenant.integrationId, transport });
    await changes.ready();
    const waiting = changes.next();
    const id = apiKey.split('_')[2];
    dataOf(
      await listening.gateway.graphql('mutation ($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }', {
        apiKey: tenant.keys.admin,
        variables: { id: `api_${id}` },
      }),
    );
    await expect(waiting).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
