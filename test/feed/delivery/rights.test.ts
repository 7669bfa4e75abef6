/** What becomes of subscriptions when keys and policies change, and of appends that meet such changes. */
import { expect, test } from 'vitest';
import { encodeFeedCursor, streamName } from '../../../src/base/index.ts';
import { createEnvelopeOpener } from '../../../src/client/index.ts';
import { createNodeSuite } from '../../../src/envelope/node.ts';
import type { FeedSealer } from '../../../src/service/feed/feed-sealer.ts';
import { newestEvents } from '../../service/house.ts';
import { mapTestKey, rotateTestKey } from '../../support/rotation.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey, dataOf, openTestClientKey } from '../../support/tenant.ts';
import { type FeedDesk, openFeedDesk, take, takeChanges } from './feed-desk.ts';

const REVOKE_KEY = 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { status } } }';
const REVOKE_API_KEY = 'mutation($id: ID!) { revokeApiKey(id: $id) { apiKey { id } } }';
const ALLOW = `mutation($id: ID!, $operations: [String!]!) {
  updateIntegration(input: { id: $id, allowedOperations: $operations }) { integration { id } }
}`;

/** A dashboard with a client key of its own, following the feed. */
async function openFollower(desk: FeedDesk, name: string) {
  const { gateway, tenant } = desk;
  const keyFile = await openTestClientKey(gateway, tenant.keys.admin, tenant.keys.admin);
  const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
    ...{ name, roles: ['DASHBOARD'], clientKeyId: keyFile.key_id },
  });
  const { promise: ended, resolve } = Promise.withResolvers<Error>();
  const session = await desk.openSession({ apiKey, onEnd: resolve });
  const events = await session.subscribe(
    { integrationId: tenant.integrationId, after: null },
    new AbortController().signal,
  );
  await take(events, 1);
  const opener = createEnvelopeOpener(createNodeSuite(), keyFile);
  return { keyFile, apiKey, session, events, ended, opener };
}

describeOnBothDatabases('A follower of ticket changes', (kind) => {
  test('whose client key is revoked is told so, given nothing more, and nothing is sealed to it', async () => {
    await using desk = await openFeedDesk(kind);
    const { gateway, tenant } = desk;
    const follower = await openFollower(desk, 'wall');
    const next = follower.events.next();
    const refused = expect(next).rejects.toMatchObject({ code: 'KEY_REVOKED' });
    dataOf(
      await gateway.graphql(REVOKE_KEY, {
        apiKey: tenant.keys.admin,
        variables: { id: follower.keyFile.key_id },
      }),
    );
    await expect(follower.ended).resolves.toMatchObject({ code: 'KEY_REVOKED' });
    await refused;
    const { sealer } = gateway.deps.feed;
    const before = sealer.sealed;
    await desk.append(1);
    expect(sealer.sealed).toBe(before);
    await expect(
      follower.session.subscribe(
        { integrationId: tenant.integrationId, after: null },
        new AbortController().signal,
      ),
    ).rejects.toMatchObject({ code: 'KEY_REVOKED' });
  });

  test('whose API key is revoked is told so', async () => {
    await using desk = await openFeedDesk(kind);
    const { gateway, tenant } = desk;
    const follower = await openFollower(desk, 'wall');
    const id = follower.session.call.caller.id;
    dataOf(await gateway.graphql(REVOKE_API_KEY, { apiKey: tenant.keys.admin, variables: { id } }));
    await expect(follower.ended).resolves.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(follower.events.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await follower.events.next()).toEqual({ done: true, value: undefined });
  });

  test('whose policy permits it no longer loses the subscription and keeps the connection', async () => {
    await using desk = await openFeedDesk(kind);
    const { gateway, tenant } = desk;
    const follower = await openFollower(desk, 'wall');
    const variables = { id: tenant.integrationId, operations: ['search'] };
    dataOf(await gateway.graphql(ALLOW, { apiKey: tenant.keys.admin, variables }));
    await expect(follower.events.next()).rejects.toMatchObject({ code: 'OPERATION_NOT_ALLOWED' });
    const again = { ...variables, operations: ['search', 'subscribe_tickets'] };
    dataOf(await gateway.graphql(ALLOW, { apiKey: tenant.keys.admin, variables: again }));
    const { integrationId } = tenant;
    const events = await follower.session.subscribe(
      { integrationId, after: null },
      new AbortController().signal,
    );
    expect(await take(events, 1)).toMatchObject([{ type: 'POSITION' }]);
  });

  test('of a lineage that had no active key for a while finds one entry that says so', async () => {
    await using desk = await openFeedDesk(kind);
    const { gateway, tenant } = desk;
    const { admin } = tenant.keys;
    const follower = await openFollower(desk, 'wall');
    await desk.append(1);
    await takeChanges(follower.events, 1);
    dataOf(await gateway.graphql(REVOKE_KEY, { apiKey: admin, variables: { id: follower.keyFile.key_id } }));
    await desk.append(2, 3);
    const successor = await rotateTestKey(gateway, admin, follower.keyFile, {
      ...{ mode: 'STRICT', signedBy: null },
    });
    await mapTestKey(gateway, admin, successor);
    await desk.append(4);

    // The API key follows the lineage, and so does the cursor, which is one of its stream.
    const session = await desk.openSession({ apiKey: follower.apiKey });
    const opener = createEnvelopeOpener(createNodeSuite(), successor);
    const stream = streamName(tenant.integrationId, follower.keyFile.key_id);
    const cursor = encodeFeedCursor({ stream, sequence: 1 });
    const events = await session.subscribe(
      { integrationId: tenant.integrationId, after: cursor },
      new AbortController().signal,
    );
    const contents = [];
    for (const { envelope, sequence } of await takeChanges(events, 2)) {
      const { plaintext } = await opener.open(envelope, { sequence });
      contents.push(JSON.parse(new TextDecoder().decode(plaintext)));
    }
    expect(contents).toMatchObject([
      { kind: 'GAP', reason: 'NO_ACTIVE_KEY' },
      { kind: 'CHANGED', ticket_id: 4 },
    ]);
    const mapped = (await newestEvents(gateway, tenant.keys.auditor, 30)).find(
      ({ action, resource }) => action === 'client-key.map' && resource === successor.key_id,
    );
    expect(mapped?.outcome).toBe('SUCCEEDED');
  });
});

describeOnBothDatabases('Appending while keys are revoked faster than they are sealed to', (kind) => {
  test('goes on, and seals to no revoked key', async () => {
    await using desk = await openFeedDesk(kind);
    const { gateway, tenant } = desk;
    const steady = await openFollower(desk, 'steady');
    const passing = await Promise.all(
      Array.from({ length: 12 }, (_, index) => openFollower(desk, `passing ${index}`)),
    );
    const passingIds = passing.map(({ keyFile }) => keyFile.key_id);
    const { sealer } = gateway.deps.feed;
    let revoked = 0;
    const overtaken: FeedSealer = {
      sealed: 0,
      sealTo: sealer.sealTo,
      async sealAll(keys, sealings, now, tx) {
        if (tx === null) {
          const variables = { id: passingIds[revoked] };
          dataOf(await gateway.graphql(REVOKE_KEY, { apiKey: tenant.keys.admin, variables }));
          revoked += 1;
        }
        return sealer.sealAll(keys, sealings, now, tx);
      },
    };
    await desk.appendWith(overtaken, 1, 2);
    expect((await takeChanges(steady.events, 2)).map(({ sequence }) => sequence)).toEqual([1, 2]);
    const rows = await gateway.store.withTenant(tenant.id, (tx) =>
      tx.selectFrom('feed_entries').select(['sequence', 'recipient_key_id']).execute(),
    );
    const recipientsOf = (sequence: number) =>
      new Set(rows.filter((row) => row.sequence === sequence).map((row) => row.recipient_key_id));
    expect(recipientsOf(1)).toEqual(new Set([steady.keyFile.key_id, ...passingIds.slice(revoked / 2)]));
    expect(recipientsOf(2)).toEqual(new Set([steady.keyFile.key_id, ...passingIds.slice(revoked)]));
  });
});

describeOnBothDatabases('Appending, mapping, revoking and subscribing at the same time', (kind) => {
  test('never wait for each other in a ring, give every stream gapless numbers, and seal to no revoked key', async () => {
    await using desk = await openFeedDesk(kind);
    const { gateway, tenant } = desk;
    const { integrationId } = tenant;
    const steady = await openFollower(desk, 'steady');
    const passing = await Promise.all(
      Array.from({ length: 4 }, (_, index) => openFollower(desk, `passing ${index}`)),
    );
    const joining = await Promise.all(
      Array.from({ length: 4 }, () => openTestClientKey(gateway, tenant.keys.admin, null)),
    );
    const map = 'mutation($id: ID!) { mapClientKey(keyId: $id) { clientKey { status } } }';
    const asAdmin = { apiKey: tenant.keys.admin };
    const append = async () => {
      for (let id = 1; id <= 24; id += 1) await desk.append(id);
    };
    const revoke = async () => {
      for (const { keyFile } of passing) {
        dataOf(await gateway.graphql(REVOKE_KEY, { ...asAdmin, variables: { id: keyFile.key_id } }));
      }
    };
    const join = async () => {
      for (const { key_id } of joining) {
        dataOf(await gateway.graphql(map, { ...asAdmin, variables: { id: key_id } }));
        const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
          ...{ roles: ['DASHBOARD'], clientKeyId: key_id },
        });
        const session = await desk.openSession({ apiKey });
        await take(await session.subscribe({ integrationId, after: null }, new AbortController().signal), 1);
      }
    };
    await Promise.all([append(), revoke(), join()]);

    const changes = await takeChanges(steady.events, 24);
    const first = changes[0]?.sequence ?? 0;
    expect(changes.map(({ sequence }) => sequence)).toEqual(changes.map((_, index) => first + index));
    const rows = await gateway.store.withTenant(tenant.id, (tx) =>
      tx
        .selectFrom('feed_entries')
        .select(['lineage_id', 'sequence', 'recipient_key_id', 'audit_event_id'])
        .orderBy('sequence')
        .execute(),
    );
    for (const [lineageId, own] of Map.groupBy(rows, (row) => row.lineage_id)) {
      expect(
        own.map(({ sequence }) => sequence),
        lineageId,
      ).toEqual(own.map((_, index) => index + 1));
    }
    // In the log a revocation stands after everything that was sealed to the key.
    const events = await gateway.store.withTenant(tenant.id, (tx) =>
      tx.selectFrom('audit_events').select(['id', 'index', 'action', 'leaf']).orderBy('index').execute(),
    );
    const indexOf = new Map(events.map(({ id, index }) => [id, index]));
    for (const { keyFile } of passing) {
      const revoked = events.find(
        ({ action, leaf }) =>
          action === 'client-key.revoke' && new TextDecoder().decode(leaf).includes(keyFile.key_id),
      );
      const sealed = rows
        .filter((row) => row.recipient_key_id === keyFile.key_id)
        .map((row) => indexOf.get(row.audit_event_id) ?? Number.POSITIVE_INFINITY);
      expect(Math.max(-1, ...sealed)).toBeLessThan(revoked?.index ?? -1);
    }
  });
});
