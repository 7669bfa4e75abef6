/**
 * The way of events to one webhook. A delivery waits in the queue, or is held back by a disturbance first;
 * takes one of the lane's places to be sent; and is settled or, after a wait outside any place, queued again.
 * Deliveries begin in the order they were queued; with more than one place they may arrive in another.
 */
import { CircuitBreaker } from './circuit-breaker.ts';
import type { Attempt, DeliveryLog, OpenDelivery } from './delivery-log.ts';
import type { SimulatorClock } from './options.ts';
import type { Webhook } from './webhook-registry.ts';
import { nextStep } from './webhook-retry.ts';
import type { WebhookSender } from './webhook-sender.ts';

/** Held deliveries wait for later ones at most this long. */
const MAX_HOLD_MS = 2000;

export interface LaneOptions {
  readonly clock: SimulatorClock;
  readonly sender: WebhookSender;
  readonly log: DeliveryLog;
  /** The webhook as it is now; null when it was removed. */
  readonly webhook: () => Webhook | null;
  readonly concurrency: number;
  readonly queueSize: number;
  readonly retryDelayMs: number;
  /** Called whenever a delivery was settled. */
  readonly onSettled: () => void;
}

interface Held {
  readonly delivery: OpenDelivery;
  left: number;
}

export class WebhookLane {
  readonly #options: LaneOptions;
  readonly #breaker = new CircuitBreaker();
  readonly #retries = new Set<NodeJS.Timeout>();
  #queue: OpenDelivery[] = [];
  #head = 0;
  #held: Held[] = [];
  #holdTimer: NodeJS.Timeout | null = null;
  #active = 0;
  #paused: boolean;
  #closed = false;

  constructor(options: LaneOptions, paused: boolean) {
    this.#options = options;
    this.#paused = paused;
  }

  /** Deliveries not settled yet, held ones included. */
  get pending(): number {
    return this.#queued + this.#held.length + this.#active + this.#retries.size;
  }

  get held(): number {
    return this.#held.length;
  }

  get #queued(): number {
    return this.#queue.length - this.#head;
  }

  /** Takes a delivery on; `heldFor` later ones go first. Dropped when the queue is full. */
  offer(delivery: OpenDelivery, heldFor: number): void {
    if (this.#queued + this.#held.length >= this.#options.queueSize) {
      this.#settle(delivery, 'dropped');
      return;
    }
    if (heldFor > 0) {
      this.#held.push({ delivery, left: heldFor });
      this.#holdTimer ??= setTimeout(() => this.releaseHeld(), MAX_HOLD_MS);
    } else {
      this.#queue.push(delivery);
      for (const held of this.#held) held.left -= 1;
      this.#queue.push(...this.#held.filter(({ left }) => left <= 0).map((held) => held.delivery));
      this.#held = this.#held.filter(({ left }) => left > 0);
    }
    this.#pump();
  }

  /** Queues what is held back, whether it was overtaken or not. */
  releaseHeld(): void {
    this.#stopHoldTimer();
    this.#queue.push(...this.#held.map((held) => held.delivery));
    this.#held = [];
    this.#pump();
  }

  #stopHoldTimer(): void {
    if (this.#holdTimer) clearTimeout(this.#holdTimer);
    this.#holdTimer = null;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** Forgets everything; what is being sent is settled by nobody. */
  close(): void {
    this.#closed = true;
    this.#stopHoldTimer();
    for (const timer of this.#retries) clearTimeout(timer);
    this.#retries.clear();
    this.#queue = [];
    this.#head = 0;
    this.#held = [];
  }

  #pump(): void {
    while (!this.#paused && !this.#closed && this.#active < this.#options.concurrency) {
      const delivery = this.#queue[this.#head];
      if (!delivery) break;
      this.#head += 1;
      if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      const webhook = this.#options.webhook();
      const at = this.#options.clock.now();
      const isBroken = this.#breaker.isOpen(at);
      if (isBroken) delivery.attempts.push({ at, outcome: 'circuit_broken', status: null });
      if (isBroken || webhook?.status !== 'active') {
        this.#settle(delivery, 'dropped');
        continue;
      }
      this.#active += 1;
      void this.#attempt(webhook, delivery);
    }
  }

  async #attempt(webhook: Webhook, delivery: OpenDelivery): Promise<void> {
    const { clock, sender, retryDelayMs } = this.#options;
    const at = clock.now();
    const result = await sender.send(webhook, delivery.body, delivery.invocationId);
    if (this.#closed) return;
    const status = result.outcome === 'answered' ? result.status : null;
    const attempt: Attempt = { at, outcome: result.outcome, status };
    delivery.attempts.push(attempt);
    const retryAfter = result.outcome === 'answered' ? result.retryAfter : null;
    const step = nextStep(delivery.attempts, retryAfter, retryDelayMs);
    this.#breaker.record(step.kind !== 'delivered', clock.now());
    this.#active -= 1;
    if (step.kind === 'retry') this.#retryAfter(delivery, step.afterMs);
    else this.#settle(delivery, step.kind);
    this.#pump();
  }

  #retryAfter(delivery: OpenDelivery, milliseconds: number): void {
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#queue.push(delivery);
      this.#pump();
    }, milliseconds);
    this.#retries.add(timer);
  }

  #settle(delivery: OpenDelivery, state: 'delivered' | 'failed' | 'dropped'): void {
    this.#options.log.settle(delivery, state);
    this.#options.onSettled();
  }
}
