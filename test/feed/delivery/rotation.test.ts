/** What becomes of a stream when the key that it is sealed to is rotated or ends by itself. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OVERLAP_MS } from '../../../src/access/index.ts';
import { encodeFeedCursor, parseFeedCursor, streamName } from '../../../src/base/index.ts';
import { createEnvelopeOpener, type WelcomedKeyFile } from '../../../src/client/index.ts';
import type { TicketFeedEvent } from '../../../src/service/index.ts';
import { MovableClock } from '../../service/house.ts';
import { mapTestKey, REVOKE, rotateTestKey, type SuccessorWish } from '../../support/rotation.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { createTestApiKey, dataOf, openTestClientKey, suite } from '../../support/tenant.ts';
import { type FeedDesk, openFeedDesk, take, takeChanges } from './feed-desk.ts';

const signal = new AbortController().signal;

/** A key of its own, and so a stream of its own, at a desk that is shared. */
async function openRig(desk: FeedDesk, clock: MovableClock) {
  const { gateway, tenant } = desk;
  const { integrationId } = tenant;
  const { admin } = tenant.keys;
  const keyFile = await openTestClientKey(gateway, admin, null);
  return {
    keyFile,
    async openKey(expiresAt: Date | null = null): Promise<string> {
      await mapTestKey(gateway, admin, keyFile, expiresAt);
      return createTestApiKey(gateway, admin, { roles: ['DASHBOARD'], clientKeyId: keyFile.key_id });
    },
    rotate: (old: WelcomedKeyFile, wish: SuccessorWish = {}) =>
      rotateTestKey(gateway, admin, old, { now: clock.now(), ...wish }),
    map: (file: WelcomedKeyFile) => mapTestKey(gateway, admin, file),
    cursorAt: (sequence: number) =>
      encodeFeedCursor({ stream: streamName(integrationId, keyFile.key_id), sequence }),
    /** Follows with the key of `file`, after a place or from the newest. */
    async follow(apiKey: string, file: WelcomedKeyFile, after: string | null = null) {
      const { promise: ended, resolve } = Promise.withResolvers<Error>();
      const session = await desk.openSession({ apiKey, clientKeyId: file.key_id, onEnd: resolve });
      const events = await session.subscribe({ integrationId, after }, signal);
      const opener = createEnvelopeOpener(suite, file);
      const open = async ({ envelope, sequence }: TicketFeedEvent) => {
        const { plaintext } = await opener.open(envelope, { sequence });
        return { sequence, ...JSON.parse(new TextDecoder().decode(plaintext)) };
      };
      return {
        ...{ events, ended },
        position: async () => (await take(events, 1))[0]?.sequence,
        changes: async (count: number) => Promise.all((await takeChanges(events, count)).map(open)),
      };
    },
    /** To which keys the entry of the stream is sealed. */
    async recipientsOf(sequence: number): Promise<readonly string[]> {
      const rows = await gateway.store.withTenant(tenant.id, (tx) =>
        tx
          .selectFrom('feed_entries')
          .select('recipient_key_id')
          .where('lineage_id', '=', keyFile.key_id)
          .where('sequence', '=', sequence)
          .execute(),
      );
      return rows.map((row) => row.recipient_key_id).toSorted();
    },
  };
}

describeOnBothDatabases('A stream whose key is rotated', (kind) => {
  const clock = new MovableClock();
  let desk: FeedDesk;
  beforeAll(async () => {
    desk = await openFeedDesk(kind, { clock });
  });
  afterAll(() => desk[Symbol.asyncDispose]());

  test('by OVERLAP has each number sealed to both keys, so that its cursors go on with the new one', async () => {
    const rig = await openRig(desk, clock);
    const { keyFile } = rig;
    const { gateway, tenant } = desk;
    const apiKey = await rig.openKey();
    const old = await rig.follow(apiKey, keyFile);
    await old.position();
    await desk.append(1);
    const successor = await rig.rotate(keyFile);
    await desk.append(2);
    // A key that only follows changes is in use, too.
    const used = await gateway.store.withTenant(tenant.id, (tx) =>
      tx.selectFrom('client_keys').select('last_used_at').where('id', '=', keyFile.key_id).executeTakeFirst(),
    );
    expect(used?.last_used_at).not.toBeNull();
    // Until it is mapped nothing is sealed to it.
    expect(await old.changes(2)).toMatchObject([
      { sequence: 1, ticket_id: 1 },
      { sequence: 2, ticket_id: 2 },
    ]);
    await expect(rig.follow(apiKey, successor)).rejects.toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED' });
    await rig.map(successor);
    await desk.append(3, 4);

    const expected = [
      { sequence: 3, ticket_id: 3 },
      { sequence: 4, ticket_id: 4 },
    ];
    expect(await old.changes(2)).toMatchObject(expected);
    const next = await rig.follow(apiKey, successor, rig.cursorAt(2));
    expect(await next.changes(2)).toMatchObject(expected);
    // What was appended before is sealed to the old key alone, which is still served.
    const early = await rig.follow(apiKey, successor, rig.cursorAt(1)).catch((error: unknown) => error);
    expect(early).toMatchObject({ code: 'CURSOR_EXPIRED' });
    expect(parseFeedCursor(Object(early).details.subject)?.sequence).toBe(2);
    const late = await rig.follow(apiKey, keyFile, rig.cursorAt(1));
    expect(await late.changes(3)).toMatchObject([{ sequence: 2 }, ...expected]);

    clock.advance(OVERLAP_MS);
    // Whoever looks at the rights of connections is told by any change of keys.
    const bystander = await openTestClientKey(gateway, tenant.keys.admin, null);
    const variables = { id: bystander.key_id };
    dataOf(await gateway.graphql(REVOKE, { apiKey: tenant.keys.admin, variables }));
    await expect(old.ended).resolves.toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED' });
    await desk.append(5);
    expect(await rig.recipientsOf(2)).toEqual([keyFile.key_id]);
    expect(await rig.recipientsOf(4)).toEqual([keyFile.key_id, successor.key_id].toSorted());
    expect(await rig.recipientsOf(5)).toEqual([successor.key_id]);
    expect(await next.changes(1)).toMatchObject([{ sequence: 5, ticket_id: 5 }]);
  });

  test('by STRICT has one entry for the time without a key, and goes on after it', async () => {
    const rig = await openRig(desk, clock);
    const { keyFile } = rig;
    const apiKey = await rig.openKey();
    const old = await rig.follow(apiKey, keyFile);
    await old.position();
    await desk.append(1);
    await old.changes(1);
    const successor = await rig.rotate(keyFile, { mode: 'STRICT' });
    await expect(old.ended).resolves.toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED' });
    await desk.append(2, 3);
    await rig.map(successor);
    await desk.append(4);
    const next = await rig.follow(apiKey, successor, rig.cursorAt(1));
    expect(await next.changes(2)).toMatchObject([
      { sequence: 2, kind: 'GAP', reason: 'NO_ACTIVE_KEY' },
      { sequence: 3, ticket_id: 4 },
    ]);
  });

  test('tells of the time after a key ended by itself, though nobody was there to end it', async () => {
    const rig = await openRig(desk, clock);
    const { keyFile } = rig;
    const end = new Date(clock.now() + 3_600_000);
    const apiKey = await rig.openKey(end);
    const old = await rig.follow(apiKey, keyFile);
    await old.position();
    await desk.append(1);
    await old.changes(1);
    clock.advance(3_600_000);
    await desk.append(2);
    expect(await rig.recipientsOf(2)).toEqual([]);
    const successor = await rig.rotate(keyFile);
    await rig.map(successor);
    await expect(old.ended).resolves.toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED' });
    await desk.append(3);
    const next = await rig.follow(apiKey, successor, rig.cursorAt(1));
    expect(await next.changes(2)).toMatchObject([
      { sequence: 2, kind: 'GAP', reason: 'NO_ACTIVE_KEY' },
      { sequence: 3, ticket_id: 3 },
    ]);
  });
});
