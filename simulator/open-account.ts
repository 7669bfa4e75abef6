/** Puts together everything that a reset of the data begins anew: the account with all it stores and does. */
import { OWNER_ID } from './account.ts';
import { Activity } from './activity.ts';
import type { World } from './call.ts';
import { Credentials } from './credentials.ts';
import { datasetAnchor } from './dataset.ts';
import { IdempotencyCache } from './idempotency.ts';
import { JobStatuses } from './job-statuses.ts';
import { messagesIn } from './messages.ts';
import { OAuthGrants } from './oauth-grants.ts';
import {
  DEFAULT_EXPORT_LAG_SECONDS,
  DEFAULT_WEBHOOK_TIMEOUT_MS,
  type SimulatorClock,
  type SimulatorOptions,
} from './options.ts';
import { Store } from './store.ts';
import { TicketHistory } from './ticket-history.ts';
import { WebhookDelivery } from './webhook-delivery.ts';
import { WebhookRegistry } from './webhook-registry.ts';
import { WebhookSender } from './webhook-sender.ts';

const DEFAULT_TICKETS = 3000;
const DEFAULT_SEED = 20_261_121;
const DEFAULT_HISTORY_SIZE = 100_000;

export interface Account {
  readonly world: World;
  readonly activity: Activity;
  readonly delivery: WebhookDelivery;
  /** Null unless it was asked for. */
  readonly history: TicketHistory | null;
  /** Stops the activity and breaks off what is being delivered. */
  [Symbol.asyncDispose](): Promise<void>;
}

const ownerOf = (store: Store, email: string | undefined): number => {
  if (email === undefined) return OWNER_ID;
  const owner = store.userByEmail(email);
  if (owner?.role !== 'admin')
    throw new RangeError(`"people.owner" must be the address of an admin, got ${email}`);
  return owner.id;
};

/** `origin` is what `url` in the history's snapshots begins with; looked up when one is taken. */
export const openAccount = (
  options: SimulatorOptions,
  clock: SimulatorClock,
  origin: () => string,
): Account => {
  const seed = options.seed ?? DEFAULT_SEED;
  const anchor = options.anchor ?? datasetAnchor(clock.now());
  const store = new Store({
    seed,
    tickets: options.tickets ?? DEFAULT_TICKETS,
    anchor,
    ...(options.people === undefined ? {} : { people: options.people }),
  });
  const credentials = new Credentials(clock, store, options.accounts);
  const webhooks = new WebhookRegistry();
  const delivering = options.webhooks ?? {};
  const sender = new WebhookSender(clock, delivering.timeoutMs ?? DEFAULT_WEBHOOK_TIMEOUT_MS);
  const historySize = options.historySize ?? DEFAULT_HISTORY_SIZE;
  const activity = new Activity(store, clock, seed);
  const delivery = new WebhookDelivery(store, clock, webhooks, sender, delivering);
  return {
    world: {
      store,
      clock,
      credentials,
      grants: new OAuthGrants(clock),
      idempotency: new IdempotencyCache(clock),
      jobs: new JobStatuses(),
      webhooks,
      sender,
      messages: messagesIn(options.language ?? 'en'),
      sideLoads: options.sideLoads ?? 'partial',
      exportLagSeconds: options.exportLagSeconds ?? DEFAULT_EXPORT_LAG_SECONDS,
      ownerId: ownerOf(store, options.people?.owner),
      seats: options.people?.seats ?? null,
    },
    activity,
    delivery,
    history: options.history ? new TicketHistory(store, historySize, origin) : null,
    async [Symbol.asyncDispose]() {
      activity.stop();
      delivery.close();
      await sender.close();
    },
  };
};
