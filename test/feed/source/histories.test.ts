/**
 * The feed's promise, for histories of any kind: per ticket the versions of the log are some of the true ones, in
 * their order, none twice, and the last one is among them; whatever webhooks are lost, repeated, late or out of
 * order, whenever the export is read, and though the process that attends to the feed is replaced in the middle by
 * another while it still believes to hold the lease.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLog, systemClock, type TicketChangeContent } from '../../../src/base/index.ts';
import {
  claimLease,
  DEFAULT_RETENTION,
  enableFeed,
  lockHead,
  readFeed,
  readWaitingMarks,
  webhookSecretLocation,
} from '../../../src/feed/index.ts';
import type { FeedAppend, NewTicketChange } from '../../../src/service/feed/append-changes.ts';
import { type FeedRunDeps, runFeed } from '../../../src/service/feed/feed-run.ts';
import { createWebhookReceiver } from '../../../src/service/feed/receive-webhook.ts';
import { Slots } from '../../../src/service/feed/slots.ts';
import type { WebhookDelivery } from '../../../src/service/index.ts';
import { describeOnBothDatabases } from '../../support/store.ts';
import { MODEL_SECRET, type ModelAct, ModelZendesk, type TrueVersion } from './model-zendesk.ts';
import { eventually, openSourceRig, QUICK, type SourceRig } from './source-rig.ts';

const RUNS = process.env['SLOW'] === '1' ? 400 : 25;
const TICKETS = 4;
const FIRST_SECOND = 1_700_000_000;

type Step =
  /** `fates`: after how many further steps the act's webhook comes, each time it comes. */
  | {
      readonly kind: 'ACT';
      readonly act: ModelAct;
      readonly ticket: number;
      readonly fates: readonly number[];
    }
  | { readonly kind: 'PASS'; readonly seconds: number }
  | { readonly kind: 'LAG'; readonly answers: number }
  /** Lets what is marked be loaded. */
  | { readonly kind: 'LET_WORK' }
  | { readonly kind: 'TAKE_OVER' };

const act: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('ACT' as const),
  act: fc.oneof(
    { weight: 6, arbitrary: fc.constant('CHANGE' as const) },
    { weight: 2, arbitrary: fc.constantFrom<ModelAct[]>('DELETE', 'RESTORE') },
    { weight: 1, arbitrary: fc.constantFrom<ModelAct[]>('SYSTEM', 'ERASE') },
  ),
  ticket: fc.nat({ max: TICKETS - 1 }),
  fates: fc.array(fc.nat({ max: 6 }), { maxLength: 3 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: act },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('PASS' as const), seconds: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 3, arbitrary: fc.constant<Step>({ kind: 'LET_WORK' }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('LAG' as const), answers: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'TAKE_OVER' }) },
);

/** A feed of the model's tickets whose log is kept in memory, by the process that holds the lease. */
class ModelFeed implements AsyncDisposable {
  readonly model = new ModelZendesk(FIRST_SECOND);
  readonly log: TicketChangeContent[] = [];
  readonly #rig: SourceRig;
  readonly #deps: FeedRunDeps;
  readonly #stopped = new AbortController();
  readonly #runs: Promise<void>[] = [];
  readonly #receive: ReturnType<typeof createWebhookReceiver>;
  #holders = 0;
  #tickets = 0;

  constructor(rig: SourceRig) {
    this.#rig = rig;
    const { store, keyring, clock, feed } = rig.deps;
    this.#deps = {
      ...{ store, keyring, clock: systemClock, log: silentLog, random: Math.random, slots: new Slots(8) },
      retention: DEFAULT_RETENTION,
      connections: this.model.connections,
      times: { ...QUICK, renew: 1_000, poll: 5, gather: 0, spacing: 1, retry: 2, export: 5 },
      onMarked: (wake) => feed.onMarked(wake),
      append: (append) => this.#append(append),
    };
    this.#receive = createWebhookReceiver({
      deps: { store, keyring, clock },
      takeForStranger: () => undefined,
    });
  }

  get key() {
    const { id: tenantId, integrationId } = this.#rig.tenant;
    return { tenantId, integrationId };
  }

  async enable(): Promise<void> {
    const { store, keyring } = this.#rig.deps;
    const keys = await keyring.keysOf(this.key.tenantId);
    const secret = keys.sealText(webhookSecretLocation(this.key.integrationId, 1), MODEL_SECRET);
    await store.withTenant(this.key.tenantId, (tx) =>
      enableFeed(tx, {
        ...this.key,
        ...{ at: new Date(), webhook: { id: 'model', secret }, webhookVersion: 1, webhookFault: null },
        exportStart: FIRST_SECOND - 1,
      }),
    );
  }

  /** A new holder of the lease, though the one before neither gave it back nor knows. */
  async takeOver(): Promise<void> {
    this.#holders += 1;
    const claim = { ...this.key, holder: `holder-${this.#holders}`, lifetimeMs: 60_000 };
    const lease = await this.#rig.deps.store.withTenant(this.key.tenantId, async (tx) => {
      await tx
        .updateTable('feed_heads')
        .set({ lease_until: new Date(0) })
        .execute();
      return claimLease(tx, claim);
    });
    if (lease === null) throw new Error('The lease was over');
    this.#runs.push(runFeed(this.#deps, this.key, lease, this.#stopped.signal));
  }

  addTickets(): readonly number[] {
    const ids = Array.from({ length: TICKETS }, (_, index) => this.#tickets + index + 1);
    this.#tickets += TICKETS;
    for (const id of ids) this.model.addTicket(id);
    return ids;
  }

  async deliver(delivery: WebhookDelivery): Promise<void> {
    await this.#receive(await this.#rig.callOf(null), this.key.integrationId, delivery);
  }

  /** Up to where the export was read, and what it led to marked. */
  async cursor(): Promise<string | null> {
    const { store } = this.#rig.deps;
    const feed = await store.withTenant(this.key.tenantId, (tx) => readFeed(tx, this.key));
    return feed?.exportCursor ?? null;
  }

  waiting(): Promise<number> {
    const { store } = this.#rig.deps;
    return store.withTenant(
      this.key.tenantId,
      async (tx) => (await readWaitingMarks(tx, this.key.integrationId)).count,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#runs);
  }

  async #append<Change extends NewTicketChange>(append: FeedAppend<Change>): Promise<void> {
    const contents = append.changes.map(({ content }) => content);
    try {
      await this.#deps.store.withTenant(append.tenantId, async (tx) => {
        await lockHead(tx, append.lease);
        await append.commit(tx, append.changes);
        // Under the lock, so in the order of the commits, and there before anybody sees them.
        this.log.push(...contents);
      });
    } catch (error) {
      for (const content of contents) {
        const place = this.log.lastIndexOf(content);
        if (place !== -1) this.log.splice(place, 1);
      }
      throw error;
    }
  }
}

async function live(feed: ModelFeed, ids: readonly number[], steps: readonly Step[]): Promise<void> {
  const due: { readonly at: number; readonly delivery: WebhookDelivery }[] = [];
  for (const [at, one] of [
    ...steps,
    ...Array.from({ length: 7 }, (): Step => ({ kind: 'LET_WORK' })),
  ].entries()) {
    switch (one.kind) {
      case 'ACT': {
        const delivery = feed.model.act(ids[one.ticket] ?? 0, one.act);
        if (delivery !== null) due.push(...one.fates.map((fate) => ({ at: at + fate, delivery })));
        break;
      }
      case 'PASS':
        feed.model.pass(one.seconds);
        break;
      case 'LAG':
        feed.model.lag(one.answers);
        break;
      case 'LET_WORK':
        await eventually(
          () => feed.waiting(),
          (count) => count === 0,
        );
        break;
      case 'TAKE_OVER':
        await feed.takeOver();
        break;
      default:
        one satisfies never;
    }
    await Promise.all(due.filter((each) => each.at === at).map(({ delivery }) => feed.deliver(delivery)));
  }
}

function toVersion(content: TicketChangeContent): TrueVersion {
  if (content.kind === 'GAP') throw new Error('Nothing may be missing');
  if (content.kind === 'LEFT_SCOPE') throw new Error('Nothing is outside of a key without a restriction');
  return content.kind === 'DELETED'
    ? { kind: 'DELETED', permanent: content.permanent }
    : { kind: 'CHANGED', subject: content.ticket.subject ?? '' };
}

/** Of each version in `log`, its place among the true ones after that of the one before; -1 where there is none. */
function placesOf(log: readonly TrueVersion[], truth: readonly TrueVersion[]): readonly number[] {
  let from = 0;
  return log.map((version) => {
    const place = truth.findIndex(
      (one, index) => index >= from && JSON.stringify(one) === JSON.stringify(version),
    );
    from = place + 1;
    return place;
  });
}

describeOnBothDatabases('The log of any history', (kind) => {
  test('is for each ticket a part of its true versions in their order that has the last one', async () => {
    await using rig = await openSourceRig(kind);
    await using feed = new ModelFeed(rig);
    await feed.enable();
    await feed.takeOver();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const ids = feed.addTickets();
        feed.model.pass(1);
        const begin = feed.log.length;
        await live(feed, ids, steps);
        feed.model.lag(0);
        feed.model.pass(2);
        await eventually(
          () => feed.cursor(),
          (cursor) => cursor === feed.model.exportEnd(),
        );
        await eventually(
          () => feed.waiting(),
          (count) => count === 0,
        );
        for (const id of ids) {
          const log = feed.log
            .slice(begin)
            .filter((content) => content.kind !== 'GAP' && content.ticket_id === id)
            .map(toVersion);
          const truth = feed.model.versionsOf(id);
          expect(placesOf(log, truth)).not.toContain(-1);
          expect(log.at(-1)).toEqual(truth.at(-1));
        }
      }),
      { numRuns: RUNS },
    );
  }, 600_000);
});
