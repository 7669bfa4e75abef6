/** Mapping a client key to one organization or one requester only. */
import { expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import type { WelcomedKeyFile } from '../../src/client/index.ts';
import { rotateTestKey } from '../support/rotation.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import { openTestClientKey } from '../support/tenant.ts';
import { codeOf, eventIdOf, newestEvents, useHouse } from './house.ts';

const MAP = `mutation($id: ID!, $restrictTo: ClientKeyRestrictionInput) {
  mapClientKey(keyId: $id, restrictTo: $restrictTo) { clientKey { id status
    restriction { integrationId organizationId requesterId } } } }`;
const LOGGED =
  'query($id: ID!) { node(id: $id) { ... on AuditEvent { resource integrationId scope action } } }';

describeOnBothDatabases('mapping a client key', (database) => {
  const house = useHouse(database);
  const openKey = () => openTestClientKey(house().gateway, house().tenant.keys.admin, null);
  /** A key that waits to be mapped. */
  const confirmed = async () => (await openKey()).key_id;
  /** A successor of the key that waits to be mapped. */
  const succeed = (old: WelcomedKeyFile): Promise<WelcomedKeyFile> =>
    rotateTestKey(house().gateway, house().tenant.keys.admin, old, { now: house().clock.now() });
  const map = (id: string, restrictTo: object | null, apiKey = house().tenant.keys.admin) =>
    house().gateway.graphql(MAP, { apiKey, variables: { id, restrictTo } });
  const statusOf = async (id: string): Promise<string> => {
    const { gateway, tenant } = house();
    const { json } = await gateway.graphql(
      'query($id: ID!) { node(id: $id) { ... on ClientKey { status } } }',
      {
        ...{ apiKey: tenant.keys.admin, variables: { id } },
      },
    );
    return json.data.node.status;
  };
  const logged = async (id: string) => {
    const { gateway, tenant } = house();
    return (await gateway.graphql(LOGGED, { apiKey: tenant.keys.auditor, variables: { id } })).json.data.node;
  };
  it.each([
    ['organization', { organizationId: '42' }, { organizationId: '42', requesterId: null }],
    ['requester', { requesterId: '43' }, { organizationId: null, requesterId: '43' }],
  ])('to one %s is shown on the key, and in the log', async (kind, wanted, shown) => {
    const { integrationId } = house().tenant;
    const id = await confirmed();
    const answer = await map(id, { integrationId, ...wanted });
    expect(answer.json.data.mapClientKey.clientKey).toEqual({
      ...{ id, status: 'ACTIVE', restriction: { integrationId, ...shown } },
    });
    const events = await newestEvents(house().gateway, house().tenant.keys.auditor, 5);
    const event = events.findLast(({ action }) => action === 'client-key.map');
    expect(await logged(event?.id ?? '')).toEqual({
      ...{ action: 'client-key.map', resource: id, integrationId },
      scope: `${kind}:${Object.values(wanted)[0]}`,
    });
  });

  it('takes global ids as well, of the same integration only', async () => {
    const { tenant, other } = house();
    const { integrationId } = tenant;
    const id = await confirmed();
    const foreign = { integrationId, organizationId: `${other.integrationId}:organization:42` };
    expect(codeOf(await map(id, foreign))).toBe('VALIDATION_FAILED');
    const wrong = { integrationId, organizationId: `${integrationId}:user:42` };
    expect(codeOf(await map(id, wrong))).toBe('VALIDATION_FAILED');
    expect(await statusOf(id)).toBe('CONFIRMED');
    const own = { integrationId, organizationId: `${integrationId}:organization:42` };
    expect((await map(id, own)).json.data.mapClientKey.clientKey.restriction.organizationId).toBe('42');
  });

  it('to everything shows no restriction', async () => {
    const answer = await map(await confirmed(), null);
    expect(answer.json.data.mapClientKey.clientKey).toMatchObject({ status: 'ACTIVE', restriction: null });
  });

  it.each([
    ['neither an organization nor a requester', {}],
    ['both', { organizationId: '1', requesterId: '2' }],
    ['an id of zero', { organizationId: '0' }],
    ['an id below zero', { requesterId: '-1' }],
    ['an id beyond the safe integers', { requesterId: '9007199254740993' }],
    ['text', { organizationId: 'acme' }],
  ])('to %s is refused, and the key stays as it was', async (_name, wanted) => {
    const id = await confirmed();
    const answer = await map(id, { integrationId: house().tenant.integrationId, ...wanted });
    expect(codeOf(answer)).toBe('VALIDATION_FAILED');
    expect(await statusOf(id)).toBe('CONFIRMED');
  });

  it('to an integration that the tenant does not have is refused, whoever has it', async () => {
    const id = await confirmed();
    const [foreign, none] = await Promise.all(
      [house().other.integrationId, createId('integration')].map((integrationId) =>
        map(id, { integrationId, organizationId: '1' }),
      ),
    );
    expect(codeOf(foreign as never)).toBe('NOT_FOUND');
    expect(foreign?.json.errors).toEqual(none?.json.errors);
    expect(eventIdOf(foreign as never)).not.toBe(eventIdOf(none as never));
    expect(await statusOf(id)).toBe('CONFIRMED');
  });

  it('holds a successor to what its predecessor is restricted to', async () => {
    const { integrationId } = house().tenant;
    const restriction = { integrationId, organizationId: '42' };
    const first = await openKey();
    await map(first.key_id, restriction);
    const second = await succeed(first);
    for (const other of [
      { integrationId, organizationId: '43' },
      { integrationId, requesterId: '42' },
    ]) {
      expect(codeOf(await map(second.key_id, other))).toBe('CONFLICT');
      expect(await statusOf(second.key_id)).toBe('CONFIRMED');
    }
    const given = await map(second.key_id, restriction);
    expect(given.json.data.mapClientKey.clientKey.restriction).toMatchObject(restriction);
    // Left out it is the same, and not none.
    const third = await succeed(second);
    const leftOut = await map(third.key_id, null);
    expect(leftOut.json.data.mapClientKey.clientKey.restriction).toMatchObject(restriction);
  });

  it('holds a successor of a key without a restriction to none', async () => {
    const { integrationId } = house().tenant;
    const first = await openKey();
    await map(first.key_id, null);
    const { key_id: second } = await succeed(first);
    expect(codeOf(await map(second, { integrationId, organizationId: '42' }))).toBe('CONFLICT');
    expect((await map(second, null)).json.data.mapClientKey.clientKey.restriction).toBeNull();
  });

  it('a second time is refused, with whatever restriction', async () => {
    const { integrationId } = house().tenant;
    const id = await confirmed();
    await map(id, { integrationId, organizationId: '42' });
    expect(codeOf(await map(id, { integrationId, organizationId: '43' }))).toBe('CONFLICT');
    expect(codeOf(await map(id, null))).toBe('CONFLICT');
  });
});
