/** A tenant whose change feed is on and written to by the test itself, in the place of the process that loads tickets. */
import { sql } from 'kysely';
import type { TicketChangeContent, TicketSnapshot } from '../../../src/base/index.ts';
import type { ProtectedHeader } from '../../../src/envelope/index.ts';
import { claimLease, type FeedLease } from '../../../src/feed/index.ts';
import { appendChanges } from '../../../src/service/feed/append-changes.ts';
import type { FeedSealer } from '../../../src/service/feed/feed-sealer.ts';
import type { TicketFeedEvent, TicketSession } from '../../../src/service/index.ts';
import { type OpenGatewayOptions, openTestGateway, type TestGateway } from '../../support/gateway.ts';
import type { DatabaseKind } from '../../support/store.ts';
import { ALL_OPERATIONS, createTestTenant, type TestTenant } from '../../support/tenant.ts';

export interface FeedDesk extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly tenant: TestTenant;
  /** Appends a version of each ticket, in this order. */
  append(...ticketIds: number[]): Promise<void>;
  /** The same, sealed by `sealer`. */
  appendWith(sealer: FeedSealer, ...ticketIds: number[]): Promise<void>;
  /** A session as a connection with `apiKey` (the dashboard's by default) has it. */
  openSession(options?: SessionWish): Promise<TicketSession>;
  /** The header and the plaintext of an event. */
  open(event: TicketFeedEvent): Promise<OpenedEvent>;
}

export interface SessionWish {
  readonly apiKey?: string;
  readonly clientKeyId?: string;
  readonly onEnd?: (failure: Error) => void;
}

export interface OpenedEvent {
  readonly header: ProtectedHeader;
  readonly content: TicketChangeContent;
}

/** A snapshot with nothing particular in it. */
export function snapshotOf(id: number): TicketSnapshot {
  return {
    ...{
      id,
      subject: `Lamp ${id}`,
      description: 'It does not shine.',
      status: 'open',
      custom_status_id: null,
    },
    ...{ priority: null, type: null, tags: [], requester_id: 1, submitter_id: 1, assignee_id: null },
    ...{ organization_id: null, group_id: null, brand_id: null, ticket_form_id: null, problem_id: null },
    ...{ has_incidents: false, is_public: true, external_id: null, due_at: null, collaborator_ids: [] },
    ...{
      follower_ids: [],
      email_cc_ids: [],
      custom_fields: [],
      via_channel: 'web',
      satisfaction_score: null,
    },
    ...{ created_at: '2026-11-01T08:00:00Z', updated_at: '2026-11-01T08:00:00Z' },
  };
}

export function changeOf(id: number): TicketChangeContent {
  return {
    ...{ v: 1, kind: 'CHANGED', ticket_id: id, ticket: snapshotOf(id), generated_timestamp: null },
    ...{ changes: ['STATUS'], previous: { status: 'new' }, shortened: [] },
  };
}

export async function openFeedDesk(
  database: DatabaseKind,
  options: Omit<OpenGatewayOptions, 'database'> = {},
): Promise<FeedDesk> {
  await using resources = new AsyncDisposableStack();
  const gateway = resources.use(
    await openTestGateway({ database, tailTimes: { pollMs: 100 }, simulator: { tickets: 10 }, ...options }),
  );
  const tenant = await createTestTenant(gateway, {
    allowedOperations: [...ALL_OPERATIONS, 'subscribe_tickets'],
  });
  const lease = await turnOn(gateway, tenant);
  const kept = resources.move();
  const appendWith = async (sealer: FeedSealer, ...ticketIds: number[]) => {
    const { store, keyring, clock } = gateway.deps;
    await appendChanges(
      { store, keyring, clock, sealer },
      {
        tenantId: tenant.id,
        integrationId: tenant.integrationId,
        lease,
        changes: ticketIds.map((id) => ({ content: changeOf(id) })),
        commit: async () => undefined,
      },
    );
  };
  return {
    gateway,
    tenant,
    append: (...ticketIds) => appendWith(gateway.deps.feed.sealer, ...ticketIds),
    appendWith,
    async openSession({ apiKey = tenant.keys.dashboard, clientKeyId, onEnd = () => undefined } = {}) {
      const { services } = gateway;
      return services.openTicketSession(
        {
          caller: await services.authenticate(apiKey, '127.0.0.1'),
          requestId: 'test',
          ip: '127.0.0.1',
          requestTarget: 'GET /graphql',
          requestSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
          clientNonce: null,
          recipientKeyId: clientKeyId ?? null,
          acceptsSealedErrors: false,
          parentEventId: null,
          signal: new AbortController().signal,
        },
        onEnd,
      );
    },
    async open({ envelope }) {
      const { header, plaintext } = await tenant.opener.open(envelope);
      return { header, content: JSON.parse(new TextDecoder().decode(plaintext)) };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** The feed's rows, and the lease of a writer that never gives it back. */
async function turnOn({ store }: TestGateway, { id, integrationId }: TestTenant): Promise<FeedLease> {
  return store.withTenant(id, async (tx) => {
    const own = { tenant_id: id, integration_id: integrationId };
    await tx
      .insertInto('ticket_feeds')
      .values({ ...own, status: 'ENABLED', enabled_at: sql<Date>`now()`, export_start: 0 })
      .execute();
    await tx.insertInto('feed_heads').values(own).execute();
    const lease = await claimLease(tx, {
      ...{ tenantId: id, integrationId, holder: 'test', lifetimeMs: 3_600_000 },
    });
    if (lease === null) throw new Error('The lease of a new feed is free');
    return lease;
  });
}

/** The next `count` events. */
export async function take(
  events: AsyncIterator<TicketFeedEvent>,
  count: number,
): Promise<readonly TicketFeedEvent[]> {
  const taken: TicketFeedEvent[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done === true) break;
    taken.push(value);
  }
  return taken;
}

/** Passes on changes only. */
export async function takeChanges(
  events: AsyncIterator<TicketFeedEvent>,
  count: number,
): Promise<readonly Extract<TicketFeedEvent, { type: 'CHANGE' }>[]> {
  const taken: Extract<TicketFeedEvent, { type: 'CHANGE' }>[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done === true) break;
    if (value.type === 'CHANGE') taken.push(value);
  }
  return taken;
}
