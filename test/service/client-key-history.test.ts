/** That every client key ever mapped can be held against the log, and that keys end at the time that was set. */
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { createId } from '../../src/base/index.ts';
import {
  createEnvelopeOpener,
  createKeyFile,
  importKeys,
  type WelcomedKeyFile,
} from '../../src/client/index.ts';
import { MAP, mapTestKey, REVOKE, rotateTestKey } from '../support/rotation.ts';
import { sealedGraphql } from '../support/sealed-graphql.ts';
import { describeOnBothDatabases } from '../support/store.ts';
import {
  createTestApiKey,
  createTestTenant,
  openTestClientKey,
  suite,
  type TestTenant,
} from '../support/tenant.ts';
import { codeOf, readEvent, useHouse } from './house.ts';
import { askSealed } from './sealed-question.ts';

const DAY = 86_400_000;
const HISTORY = `query($tenantId: ID, $lineageId: ID, $first: Int, $after: String) {
  clientKeyHistory(tenantId: $tenantId, lineageId: $lineageId, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { keyId lineageId kemKid sigKid predecessorId mode vouchedBy mappedAt mappedBy auditEventId
      expiresAt endedAt endReason endedBy endAuditEventId isProven } } } }`;
const LIST = `query($filter: ClientKeyFilter) {
  clientKeys(filter: $filter) { edges { node { id status expiresAt endReason isUnused lastUsedAt } } } }`;

describeOnBothDatabases('the history of client keys', (database) => {
  const house = useHouse(database);
  const historyOf = async (apiKey: string, variables: object = {}) => {
    const { json } = await house().gateway.graphql(HISTORY, { apiKey, variables });
    if (json.errors !== undefined) throw new Error(JSON.stringify(json.errors));
    return json.data.clientKeyHistory.edges.map(({ node }: { node: object }) => node);
  };

  async function openHistory(): Promise<{ tenant: TestTenant; keys: readonly WelcomedKeyFile[] }> {
    const { gateway, clock } = house();
    const tenant = await createTestTenant(gateway);
    const { admin } = tenant.keys;
    const second = await rotateTestKey(gateway, admin, tenant.keyFile, { now: clock.now() });
    await mapTestKey(gateway, admin, second);
    const third = await rotateTestKey(gateway, admin, second, { mode: 'STRICT', now: clock.now() });
    await mapTestKey(gateway, gateway.operatorKey, third);
    const variables = { id: third.key_id, reason: 'CESSATION_OF_OPERATION' };
    expect(codeOf(await gateway.graphql(REVOKE, { apiKey: admin, variables }))).toBeNull();
    // Never mapped: not of the history.
    await openTestClientKey(gateway, admin, null);
    return { tenant, keys: [tenant.keyFile, second, third] };
  }

  it('names every key that was mapped, by whom, from which key, why it ended, each with the events that prove it', async () => {
    const { tenant, keys } = await openHistory();
    const { gateway } = house();
    const entries = await historyOf(tenant.keys.auditor);
    expect(entries).toHaveLength(3);
    const endActions: string[] = [];
    const ends = ['SUPERSEDED', 'SUPERSEDED', 'CESSATION_OF_OPERATION'];
    for (const [index, entry] of entries.entries()) {
      const { kem, sig } = importKeys(suite, keys[index] ?? createKeyFile(suite));
      expect(entry).toMatchObject({
        keyId: keys[index]?.key_id,
        lineageId: tenant.keyFile.key_id,
        kemKid: kem.kid,
        sigKid: sig.kid,
        predecessorId: keys[index - 1]?.key_id ?? null,
        mode: [null, 'OVERLAP', 'STRICT'][index],
        vouchedBy: index === 0 ? null : 'PREDECESSOR',
        endReason: ends[index],
        isProven: true,
      });
      const mapping = await readEvent(gateway, tenant.keys.auditor, entry.auditEventId);
      expect(mapping).toMatchObject({
        ...{ action: 'client-key.map', resource: entry.keyId, actor: { id: entry.mappedBy } },
        clientKey: { kemKid: entry.kemKid, sigKid: entry.sigKid, predecessorId: entry.predecessorId },
      });
      expect(Date.parse(entry.endedAt)).toBeGreaterThanOrEqual(Date.parse(entry.mappedAt));
      const end = await readEvent(gateway, tenant.keys.auditor, entry.endAuditEventId);
      expect(end.actor.id).toBe(entry.endedBy);
      endActions.push(end.action);
    }
    expect(endActions).toEqual(['client-key.map', 'client-key.rotate', 'client-key.revoke']);
  });

  it('is for admins and auditors of the tenant, and operators of any, by pages', async () => {
    const { tenant, keys } = await openHistory();
    const { gateway, other } = house();
    const all = await historyOf(tenant.keys.admin);
    for (const variables of [{ tenantId: tenant.id }, { lineageId: tenant.keyFile.key_id }]) {
      expect(await historyOf(gateway.operatorKey, variables)).toEqual(all);
      const foreign = await gateway.graphql(HISTORY, { apiKey: other.keys.auditor, variables });
      const shown = foreign.json.data?.clientKeyHistory?.edges ?? [];
      expect([codeOf(foreign), shown]).toEqual(['tenantId' in variables ? 'NOT_FOUND' : null, []]);
    }
    for (const apiKey of [tenant.keys.agent, tenant.keys.dashboard]) {
      expect(codeOf(await gateway.graphql(HISTORY, { apiKey }))).toBe('FORBIDDEN');
    }
    for (const variables of [{ tenantId: createId('tenant') }, { lineageId: createId('clientKey') }]) {
      const unknown = await gateway.graphql(HISTORY, { apiKey: gateway.operatorKey, variables });
      expect(codeOf(unknown)).toBe('NOT_FOUND');
    }
    const first = await gateway.graphql(HISTORY, { apiKey: tenant.keys.admin, variables: { first: 2 } });
    const { edges, pageInfo } = first.json.data.clientKeyHistory;
    const rest = await historyOf(tenant.keys.admin, { first: 2, after: pageInfo.endCursor });
    expect([...edges.map(({ node }: { node: object }) => node), ...rest]).toEqual(all);
    expect(keys).toHaveLength(all.length);
  });

  it('shows a key that somebody exchanged in the database, and the database refuses it while it is watched', async () => {
    const { tenant, keys } = await openHistory();
    const { gateway } = house();
    const [first, second, third] = keys.map(({ key_id }) => key_id);
    const other = importKeys(suite, createKeyFile(suite));
    const swap = (id: string | undefined) =>
      gateway.store.withSystem('health', (tx) =>
        tx
          .updateTable('client_keys')
          .set({ kem_public_key: other.kem.publicKey })
          .where('id', '=', id ?? '')
          .execute(),
      );
    await expect(swap(first)).rejects.toThrow(/never exchanged/);
    await expect(
      gateway.store.withTenant(tenant.id, (tx) =>
        tx
          .deleteFrom('client_keys')
          .where('id', '=', first ?? '')
          .execute(),
      ),
    ).rejects.toThrow(/never exchanged/);

    await gateway.store.withSystem('health', async (tx) => {
      await sql`ALTER TABLE client_keys DISABLE TRIGGER client_keys_kept`.execute(tx);
      const at = (id: string | undefined) => tx.updateTable('client_keys').where('id', '=', id ?? '');
      await at(first).set({ kem_public_key: other.kem.publicKey }).execute();
      await at(second)
        .set({ ...{ kem_public_key: other.kem.publicKey, kem_kid: other.kem.kid } })
        .execute();
      await at(third).set({ end_reason: 'SUPERSEDED' }).execute();
      await sql`ALTER TABLE client_keys ENABLE TRIGGER client_keys_kept`.execute(tx);
    });
    const entries = await historyOf(tenant.keys.auditor);
    expect(entries.map(({ isProven }: { isProven: boolean }) => isProven)).toEqual([false, false, false]);
  });

  it('shows a key that was revived in the database, which refuses that and other grants while it is watched', async () => {
    const { tenant, keys } = await openHistory();
    const { gateway, clock } = house();
    const { admin, auditor } = tenant.keys;
    const [first = '', second = '', third = ''] = keys.map(({ key_id }) => key_id);
    const overlapping = await openTestClientKey(gateway, admin, admin);
    const next = await rotateTestKey(gateway, admin, overlapping, { now: clock.now() });
    await mapTestKey(gateway, admin, next);
    const change = (id: string, assignments: string) =>
      gateway.store.withSystem('health', (tx) =>
        sql`UPDATE client_keys SET ${sql.raw(assignments)} WHERE id = ${id}`.execute(tx),
      );
    const longer = `overlap_until = overlap_until + interval '1 second'`;
    for (const [id, assignments] of [
      [third, `status = 'ACTIVE'`],
      [third, `status = 'RETIRED'`],
      [second, `status = 'ACTIVE'`],
      [second, `overlap_until = now()`],
      [first, `status = 'CONFIRMED'`],
      [overlapping.key_id, longer],
      [next.key_id, `status = 'PENDING'`],
      [next.key_id, `status = 'CONFIRMED'`],
      [next.key_id, `expires_at = now() + interval '10 years'`],
      [next.key_id, `login_roles = '{AGENT}'`],
      [next.key_id, `scope_integration_id = '${tenant.integrationId}', scope_organization_id = 42`],
    ] as const) {
      await expect(change(id, assignments)).rejects.toThrow(/never revived/);
    }
    await change(overlapping.key_id, longer.replace('+', '-'));

    for (const id of [third, second, first]) {
      await gateway.store.withSystem('health', async (tx) => {
        await sql`ALTER TABLE client_keys DISABLE TRIGGER client_keys_ended`.execute(tx);
        await sql`UPDATE client_keys SET status = 'REVOKED', ended_at = now(), end_reason = 'KEY_LOST'
          WHERE lineage_id = ${first} AND status = 'ACTIVE'`.execute(tx);
        await sql`UPDATE client_keys SET status = 'ACTIVE', ended_at = NULL, end_reason = NULL, ended_by = NULL,
          ended_event_id = NULL WHERE id = ${id}`.execute(tx);
        await sql`ALTER TABLE client_keys ENABLE TRIGGER client_keys_ended`.execute(tx);
      });
      const entries: readonly { keyId: string; isProven: boolean }[] = await historyOf(auditor);
      expect(entries.find(({ keyId }) => keyId === id)).toMatchObject({ endedAt: null, isProven: false });
      const untouched = entries.filter(({ keyId }) => keyId === overlapping.key_id || keyId === next.key_id);
      expect(untouched).toMatchObject([{ isProven: true }, { isProven: true }]);
    }
  });
});

describeOnBothDatabases('a client key with an end', (database) => {
  const house = useHouse(database);

  async function openEnding(days: number) {
    const { gateway, tenant, clock } = house();
    const keyFile = await openTestClientKey(gateway, tenant.keys.admin, null);
    const expiresAt = new Date(clock.now() + days * DAY);
    await mapTestKey(gateway, tenant.keys.admin, keyFile, expiresAt);
    const apiKey = await createTestApiKey(gateway, tenant.keys.admin, {
      ...{ roles: ['AGENT'], clientKeyId: keyFile.key_id },
    });
    return { keyFile, apiKey, expiresAt };
  }
  const list = async (filter: object) => {
    const { gateway, tenant } = house();
    const { json } = await gateway.graphql(LIST, { apiKey: tenant.keys.admin, variables: { filter } });
    return json.data.clientKeys.edges.map(({ node }: { node: { id: string } }) => node);
  };
  const idsOf = async (filter: object) => (await list(filter)).map(({ id }: { id: string }) => id);

  it('is served until then and not after, without anybody’s act, and its holder can still rotate it', async () => {
    const { gateway, tenant, clock } = house();
    const { keyFile, apiKey, expiresAt } = await openEnding(40);
    expect(await askSealed(gateway, apiKey, null)).toMatchObject({ recipient: keyFile.key_id });
    clock.advance(expiresAt.getTime() - clock.now());
    for (const named of [null, keyFile.key_id]) {
      const refused = await askSealed(gateway, apiKey, named);
      expect(refused).toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED', subject: keyFile.key_id });
      expect(refused.message).toContain(`ended at ${expiresAt.toISOString()}`);
      expect(refused.message).toContain('sealdesk keys rotate FILE');
    }
    const { json } = await gateway.graphql(HISTORY, {
      ...{ apiKey: tenant.keys.auditor, variables: { lineageId: keyFile.key_id } },
    });
    expect(json.data.clientKeyHistory.edges[0].node).toMatchObject({
      ...{ endedAt: expiresAt.toISOString(), endReason: 'EXPIRED', endedBy: null, isProven: true },
    });
    const successor = await rotateTestKey(gateway, apiKey, keyFile, { now: clock.now() });
    await mapTestKey(gateway, tenant.keys.admin, successor);
    expect(await askSealed(gateway, apiKey, null)).toMatchObject({ recipient: successor.key_id });
    // It was over before it was replaced, so nothing overlaps.
    expect(await askSealed(gateway, apiKey, keyFile.key_id)).toMatchObject({ code: 'CLIENT_KEY_NOT_MAPPED' });
    const history = await gateway.graphql(HISTORY, {
      ...{ apiKey: tenant.keys.auditor, variables: { lineageId: keyFile.key_id } },
    });
    const [first, second] = history.json.data.clientKeyHistory.edges;
    expect([first.node.endReason, first.node.isProven, second.node.isProven]).toEqual([
      'EXPIRED',
      true,
      true,
    ]);
  });

  it('tells so in every sealed answer from thirty days before, and nothing earlier', async () => {
    const { gateway, tenant, clock } = house();
    const { keyFile, apiKey, expiresAt } = await openEnding(31);
    const asHolder = { ...tenant, keyFile, opener: createEnvelopeOpener(suite, keyFile) };
    const extensions = async () =>
      (await sealedGraphql(gateway, asHolder, '{ viewer { tenant { id } } }', { apiKey })).result.extensions;
    expect((await extensions()).clientKey).toBeUndefined();
    clock.advance(2 * DAY);
    expect((await extensions()).clientKey).toEqual({
      ...{ keyId: keyFile.key_id, endsAt: expiresAt.toISOString() },
    });
  });

  it('is found ahead of its end, when nobody uses it, and by where it stands', async () => {
    const { gateway, clock } = house();
    const soon = await openEnding(10);
    const late = await openEnding(100);
    await askSealed(gateway, late.apiKey, null);
    const ids = (keys: readonly { keyFile: WelcomedKeyFile }[]) => keys.map(({ keyFile }) => keyFile.key_id);
    const mine = new Set(ids([soon, late]));
    const own = async (filter: object) => (await idsOf(filter)).filter((id: string) => mine.has(id));
    expect(await own({ endsWithinDays: 30 })).toEqual(ids([soon]));
    expect(await own({ endsWithinDays: 101 })).toEqual(ids([soon, late]));
    const tomorrow = new Date(clock.now() + DAY).toISOString();
    clock.advance(2 * DAY);
    expect(await own({ unusedSince: tomorrow })).toEqual(ids([soon, late]));
    await askSealed(gateway, late.apiKey, null);
    expect(await own({ unusedSince: tomorrow })).toEqual(ids([soon]));
    const [shown] = (await list({ endsWithinDays: 30 })).filter(({ id }: { id: string }) => mine.has(id));
    expect(shown).toMatchObject({
      isUnused: true,
      lastUsedAt: null,
      expiresAt: soon.expiresAt.toISOString(),
    });
    clock.advance(10 * DAY);
    expect(await own({ status: 'ACTIVE' })).toEqual(ids([late]));
    expect(await own({ status: 'RETIRED' })).toEqual(ids([soon]));
    expect(await own({ endsWithinDays: 30 })).toEqual([]);
  });

  it('needs an end in the future', async () => {
    const { gateway, tenant, clock } = house();
    const { key_id: id } = await openTestClientKey(gateway, tenant.keys.admin, null);
    for (const expiresAt of [new Date(clock.now() - 1), new Date(0)]) {
      const answer = await gateway.graphql(MAP, {
        ...{ apiKey: tenant.keys.admin, variables: { id, expiresAt } },
      });
      expect(codeOf(answer)).toBe('VALIDATION_FAILED');
    }
  });
});
