/** The OAuth client of the installation belongs to the operator: tenants connect with it and never hold its secret. */
import { describe, expect, it } from 'vitest';
import { codeOf, openHouse } from '../service/house.ts';
import {
  addIntegration,
  begin,
  CLIENT,
  callTicket,
  comeBack,
  connectInBrowser,
  readIntegration,
  unseal,
} from './connecting.ts';

describe('the OAuth client of the installation', () => {
  it('keeps its secret to the configuration, and loses no connection over a change of it', async () => {
    const client = { ...CLIENT };
    await using house = await openHouse('pglite', { zendeskClient: client });
    const { gateway, clock, tenant } = house;
    const { id } = await addIntegration(house);
    const { connection } = await connectInBrowser(house, id, { given: {} });
    const credentialId = connection.credentialId ?? '';
    const secret = await unseal(house, credentialId);
    expect(secret).toMatchObject({ client_id: CLIENT.clientId, client_source: 'INSTALLATION' });
    expect(JSON.stringify(secret)).not.toContain(CLIENT.clientSecret);
    // What is due is renewed with the secret of the configuration.
    clock.advance(172_800_000);
    expect(await callTicket(house, id)).toBe(200);
    // Exchanged at Zendesk and not yet here, and the other way round: it is the operator's to mend.
    clock.advance(172_800_000);
    for (const wrong of [{ clientSecret: 'of-yesterday' }, { ...CLIENT, clientId: 'another' }]) {
      Object.assign(client, wrong);
      expect(await callTicket(house, id)).not.toBe(200);
      expect((await readIntegration(house, id)).status).toBe('ACTIVE');
      clock.advance(60_000);
    }
    const url = new URL((await begin(house, id, {})).authorizationUrl);
    expect(url.searchParams.get('client_id')).toBe('another');
    Object.assign(client, CLIENT);
    const gone = await comeBack(gateway, gateway.simulator.oauth.consent(urlOfClient(url, CLIENT.clientId)));
    expect(gone.html).toContain('CLIENT_CHANGED');
    expect(await callTicket(house, id)).toBe(200);
    // Who seals the same id by hand borrows nothing.
    const rotated = await gateway.graphql(
      `mutation($id: ID!, $secret: JSONObject!) {
        rotateCredential(input: { id: $id, secret: $secret }) { credential { id } } }`,
      {
        apiKey: tenant.keys.admin,
        variables: {
          id: credentialId,
          secret: {
            ...{ access_token: 'x', refresh_token: 'y', client_id: CLIENT.clientId },
            expires_at: new Date(clock.now()).toISOString(),
          },
        },
      },
    );
    expect(codeOf(rotated)).toBeNull();
    const sent = gateway.simulator.requests.entries.length;
    expect(await callTicket(house, id)).not.toBe(200);
    expect(gateway.simulator.requests.entries.length).toBeGreaterThan(sent);
    expect((await readIntegration(house, id)).status).toBe('NEEDS_RECONNECT');
  });
});

function urlOfClient(url: URL, clientId: string): string {
  const other = new URL(url);
  other.searchParams.set('client_id', clientId);
  return other.href;
}
