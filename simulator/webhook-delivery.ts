/**
 * Delivers the events of every ticket change to the webhooks subscribed to them, over real HTTP. Best effort,
 * as Zendesk's is: retries end, queues are bounded, and loss, repetition and disorder can be had on demand.
 */
import { type Delivery, DeliveryLog } from './delivery-log.ts';
import type { TicketChange } from './journal.ts';
import type { SimulatorClock, WebhookDeliveryOptions } from './options.ts';
import type { Store } from './store.ts';
import { createUlid } from './ulid.ts';
import { Disturbance, type DisturbanceOptions } from './webhook-disturbance.ts';
import { eventsOf, type WebhookEvent } from './webhook-events.ts';
import { WebhookLane } from './webhook-lane.ts';
import type { Webhook, WebhookRegistry } from './webhook-registry.ts';
import type { WebhookSender } from './webhook-sender.ts';

const DEFAULT_CONCURRENCY = 8;
const DEFAULT_QUEUE_SIZE = 10_000;
const DEFAULT_RETRY_DELAY_MS = 1000;
const DEFAULT_LOG_SIZE = 5000;

interface Waiter {
  readonly resolve: () => void;
}

export class WebhookDelivery {
  readonly #store: Store;
  readonly #clock: SimulatorClock;
  readonly #registry: WebhookRegistry;
  readonly #sender: WebhookSender;
  readonly #options: WebhookDeliveryOptions;
  readonly #log: DeliveryLog;
  readonly #lanes = new Map<string, WebhookLane>();
  readonly #waiters = new Set<Waiter>();
  #disturbance: Disturbance | null = null;
  #paused = false;

  /** Listens to the store's journal from now on. */
  constructor(
    store: Store,
    clock: SimulatorClock,
    registry: WebhookRegistry,
    sender: WebhookSender,
    options: WebhookDeliveryOptions,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#registry = registry;
    this.#sender = sender;
    this.#options = options;
    this.#log = new DeliveryLog(options.logSize ?? DEFAULT_LOG_SIZE);
    store.journal.subscribe((change) => this.#publish(change));
  }

  /** The newest deliveries, by the order they fell due. */
  get deliveries(): readonly Delivery[] {
    return this.#log.entries;
  }

  /** Settled deliveries by state since the start or the last reset. */
  counts(): Record<string, number> {
    return this.#log.counts();
  }

  /** Deliveries not settled yet. */
  get pending(): number {
    return this.#sum((lane) => lane.pending);
  }

  get paused(): boolean {
    return this.#paused;
  }

  get disturbance(): Required<DisturbanceOptions> | null {
    return this.#disturbance?.options ?? null;
  }

  #sum(measure: (lane: WebhookLane) => number): number {
    let sum = 0;
    for (const lane of this.#lanes.values()) sum += measure(lane);
    return sum;
  }

  #publish(change: TicketChange): void {
    const active = this.#registry.list().filter((webhook) => webhook.status === 'active');
    if (active.length === 0) return;
    const wants = (webhook: Webhook, type: string): boolean => webhook.subscriptions.includes(type);
    const events = eventsOf(this.#store, change, (type) => active.some((webhook) => wants(webhook, type)));
    for (const event of events) {
      for (const webhook of active) if (wants(webhook, event.type)) this.#dispatch(webhook, event);
    }
  }

  #dispatch(webhook: Webhook, event: WebhookEvent): void {
    const sendings = this.#disturbance?.draw() ?? [{ duplicate: false, sameInvocation: true, heldFor: 0 }];
    const firstInvocation = createUlid(this.#clock.now());
    const open = (invocationId: string, duplicate: boolean) =>
      this.#log.open({
        webhookId: webhook.id,
        invocationId,
        eventId: event.id,
        type: event.type,
        ticketId: event.ticketId,
        body: event.body,
        duplicate,
      });
    if (sendings.length === 0) this.#log.settle(open(firstInvocation, false), 'lost');
    const lane = this.#laneOf(webhook.id);
    for (const { duplicate, sameInvocation, heldFor } of sendings) {
      const invocationId = sameInvocation ? firstInvocation : createUlid(this.#clock.now());
      lane.offer(open(invocationId, duplicate), heldFor);
    }
  }

  #laneOf(webhookId: string): WebhookLane {
    const known = this.#lanes.get(webhookId);
    if (known) return known;
    const lane = new WebhookLane(
      {
        clock: this.#clock,
        sender: this.#sender,
        log: this.#log,
        webhook: () => this.#registry.get(webhookId),
        concurrency: this.#options.concurrency ?? DEFAULT_CONCURRENCY,
        queueSize: this.#options.queueSize ?? DEFAULT_QUEUE_SIZE,
        retryDelayMs: this.#options.retryDelayMs ?? DEFAULT_RETRY_DELAY_MS,
        onSettled: () => this.#tell(),
      },
      this.#paused,
    );
    this.#lanes.set(webhookId, lane);
    return lane;
  }

  /** Spoils the deliveries of all later events; replaces the disturbance before. RangeError on a share out of range. */
  disturb(options: DisturbanceOptions): void {
    this.#disturbance = new Disturbance(options);
  }

  /** Ends the disturbance; what it held back is sent. */
  calm(): void {
    this.#disturbance = null;
    for (const lane of this.#lanes.values()) lane.releaseHeld();
  }

  /** Begins no further attempt; events queue up. */
  pause(): void {
    this.#paused = true;
    for (const lane of this.#lanes.values()) lane.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const lane of this.#lanes.values()) lane.resume();
  }

  /**
   * Resolves once everything due was delivered or given up, retries included; what a disturbance holds back is
   * sent last. Never while paused with something queued. Rejects with the signal's reason.
   */
  untilDelivered(signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = (): void => {
      this.#waiters.delete(waiter);
      reject(signal?.reason);
    };
    const waiter: Waiter = {
      resolve: () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
    };
    this.#waiters.add(waiter);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    this.#tell();
    return promise;
  }

  #tell(): void {
    if (this.#waiters.size === 0) return;
    const held = this.#sum((lane) => lane.held);
    if (held > 0 && held === this.pending) for (const lane of this.#lanes.values()) lane.releaseHeld();
    if (this.pending > 0) return;
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.resolve();
  }

  /** Forgets the log, ends the disturbance and goes on when paused; webhooks and what is due stay. */
  reset(): void {
    this.#log.clear();
    this.calm();
    this.resume();
  }

  /** Forgets what is due and lets those who wait go. */
  close(): void {
    for (const lane of this.#lanes.values()) lane.close();
    this.#lanes.clear();
    this.#tell();
  }
}
