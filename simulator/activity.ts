/**
 * Life in the account: customers write, agents answer, tickets move on. Which step comes next depends on the
 * seed and the steps before only; when it happens is up to the caller of `step` or to the rate.
 */
import { FIRST_GROUP_ID, ORDER_FIELD_ID } from './account.ts';
import { composeDescription, composeSubject, storyOf } from './conversation.ts';
import type { SimulatorClock } from './options.ts';
import { createRandom, mixSeed, type Random } from './random.ts';
import type { TicketRow, TicketStatus } from './records.ts';
import type { Store } from './store.ts';
import { STORIES } from './stories.ts';

export interface ActivityEvent {
  readonly kind: 'ticket-created' | 'comment-added' | 'status-changed';
  readonly ticketId: number;
}

/** Moves of a status that agents and customers make. */
const NEXT_STATUS: Readonly<Record<TicketStatus, readonly TicketStatus[]>> = {
  new: ['open'],
  open: ['pending', 'pending', 'hold', 'solved'],
  pending: ['open', 'solved'],
  hold: ['open'],
  solved: ['open', 'closed', 'closed'],
  closed: [],
};

/** Steps a timer makes at most at once. */
const MAX_BURST = 1000;
const MAX_PER_MINUTE = 60_000;

export class Activity {
  readonly #store: Store;
  readonly #clock: SimulatorClock;
  readonly #seed: number;
  #random: Random;
  #perMinute = 0;
  #timer: NodeJS.Timeout | null = null;
  #owed = 0;
  #lastTick = 0;
  #steps = 0;
  #listeners = new Set<(event: ActivityEvent) => void>();

  constructor(store: Store, clock: SimulatorClock, seed: number) {
    this.#store = store;
    this.#clock = clock;
    this.#seed = seed;
    this.#random = createRandom(mixSeed(seed, 4242));
  }

  get perMinute(): number {
    return this.#perMinute;
  }

  /** Steps made so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Starts (or changes) the rate: 1 to 60,000 steps a minute of real time. A new `seed` starts a new sequence. */
  start(perMinute: number, seed?: number): void {
    if (!(perMinute > 0 && perMinute <= MAX_PER_MINUTE)) {
      throw new RangeError(`"perMinute" must be above 0 and at most ${MAX_PER_MINUTE}, got ${perMinute}`);
    }
    this.stop();
    if (seed !== undefined) this.#random = createRandom(mixSeed(seed, 4242));
    this.#perMinute = perMinute;
    this.#lastTick = performance.now();
    const interval = Math.max(50, Math.min(1000, 60_000 / perMinute));
    this.#timer = setInterval(() => this.#tick(), interval);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
    this.#perMinute = 0;
    this.#owed = 0;
  }

  /** Calls back after every step until the returned function is called. */
  subscribe(listener: (event: ActivityEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tick(): void {
    const now = performance.now();
    this.#owed += ((now - this.#lastTick) * this.#perMinute) / 60_000;
    this.#lastTick = now;
    const steps = Math.min(MAX_BURST, Math.floor(this.#owed));
    this.#owed -= steps;
    this.step(steps);
  }

  /** Makes `count` steps now. */
  step(count = 1): ActivityEvent[] {
    const events: ActivityEvent[] = [];
    for (let index = 0; index < count; index += 1) {
      const event = this.#once();
      this.#steps += 1;
      events.push(event);
      for (const listener of this.#listeners) listener(event);
    }
    return events;
  }

  #once(): ActivityEvent {
    const draw = this.#random.next();
    const ticket = draw < 0.3 ? null : this.#recentTicket();
    if (ticket === null) return this.#create();
    return draw < 0.7 ? this.#comment(ticket) : this.#move(ticket);
  }

  /** Somewhere among the newest 400 tickets, not closed; null when none is found in a few draws. */
  #recentTicket(): TicketRow | null {
    const { tickets } = this.#store;
    const reach = Math.min(400, tickets.length);
    for (let attempt = 0; attempt < 8 && reach > 0; attempt += 1) {
      const row = tickets[tickets.length - 1 - this.#random.below(reach)];
      if (row && row.status !== 'closed' && row.deletedAt === null) return row;
    }
    return null;
  }

  #now(): number {
    return Math.floor(this.#clock.now() / 1000) * 1000;
  }

  #create(): ActivityEvent {
    const store = this.#store;
    const id = store.nextTicketId();
    const customers = store.users.filter(
      (user) => user.role === 'end-user' && !user.suspended && user.active,
    );
    const customer = this.#random.pick(customers);
    const index = this.#random.below(STORIES.length);
    const story = storyOf(index);
    const order = `LO-${10_000 + this.#random.below(89_999)}`;
    const now = this.#now();
    const row: TicketRow = {
      id,
      createdAt: now,
      updatedAt: now,
      generatedAt: now / 1000,
      solvedAt: null,
      deletedAt: null,
      deletedBy: null,
      scrubbed: false,
      subject: composeSubject(this.#seed, id, index, order),
      status: 'new',
      priority: this.#random.pick(['normal', 'normal', 'high', 'low', 'urgent', null]),
      type: story.type,
      requesterId: customer.id,
      submitterId: customer.id,
      assigneeId: null,
      organizationId: customer.organizationId,
      groupId: FIRST_GROUP_ID + story.group,
      problemId: null,
      followupSourceId: null,
      externalId: null,
      dueAt: null,
      channel: this.#random.pick(['email', 'web', 'mobile']),
      tags: story.tags,
      collaboratorIds: [],
      customFields: new Map([[ORDER_FIELD_ID, order]]),
      satisfaction: 'unoffered',
      isPublic: true,
      aiAgent: false,
      commentCount: 0,
      story: index,
      comments: [],
    };
    const body = composeDescription(this.#seed, row, customer.name);
    const comment = { authorId: customer.id, body, public: true, createdAt: now, channel: row.channel };
    store.createTicket(row, comment, customer.id, this.#clock.now());
    return { kind: 'ticket-created', ticketId: id };
  }

  #comment(row: TicketRow): ActivityEvent {
    const story = row.story < 0 ? this.#random.pick(STORIES) : storyOf(row.story);
    const byAgent = this.#random.chance(0.5);
    const agentId = row.assigneeId ?? this.#agentId();
    const requester = this.#store.user(row.requesterId)?.name ?? 'Customer';
    const agent = this.#store.user(agentId)?.name ?? 'Lumen & Oak';
    const template = byAgent ? this.#random.pick(story.replies) : this.#random.pick(story.followups);
    const body = template
      .replaceAll('{first}', requester.split(' ')[0] ?? requester)
      .replaceAll('{agent}', agent.split(' ')[0] ?? agent)
      .replaceAll('{number}', String(10_000 + this.#random.below(89_999)))
      .replaceAll('{city}', 'Utrecht')
      .replaceAll('{product}', 'Oak Table Lamp')
      .replaceAll('{order}', String(row.customFields.get(ORDER_FIELD_ID) ?? 'your order'));
    const now = this.#now();
    const authorId = byAgent ? agentId : row.requesterId;
    const comment = { authorId, body, public: true, createdAt: now, channel: byAgent ? 'web' : 'email' };
    this.#store.changeTicket(row, { action: 'updated', actorId: authorId, comment }, this.#clock.now());
    return { kind: 'comment-added', ticketId: row.id };
  }

  #agentId(): number {
    return this.#random.pick(
      this.#store.users.filter((user) => user.active && user.role === 'agent' && !user.suspended),
    ).id;
  }

  #move(row: TicketRow): ActivityEvent {
    const now = this.#now();
    const status = this.#random.pick(NEXT_STATUS[row.status]);
    const assigneeId = row.assigneeId ?? this.#agentId();
    const solvedAt = status === 'solved' ? now : status === 'closed' ? row.solvedAt : null;
    const changes = { status, assigneeId, solvedAt };
    this.#store.changeTicket(row, { action: 'updated', actorId: assigneeId, changes }, this.#clock.now());
    return { kind: 'status-changed', ticketId: row.id };
  }
}
