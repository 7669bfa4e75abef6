/**
 * The state of the simulated account in memory. Everything that changes a row goes through here, so that
 * `version` tells caches and cursors when the data moved. Not durable: a restart begins from the seed.
 */
import { FIRST_USER_ID } from './account.ts';
import { commentIds, composeComments, composeDescription } from './conversation.ts';
import { createDataset } from './dataset.ts';
import { IncidentCounts } from './incident-counts.ts';
import { Journal, type TicketAction } from './journal.ts';
import type { CommentRow, GroupRow, OrganizationRow, TicketRow, UserRow } from './records.ts';

const DAY = 86_400_000;
/** Closed tickets this long untouched are archived and leave the lists (the exact time at Zendesk is not published). */
export const ARCHIVE_AFTER = 120 * DAY;

export interface StoreOptions {
  readonly seed: number;
  readonly tickets: number;
  readonly anchor: number;
}

export type NewComment = Omit<CommentRow, 'id' | 'auditId'>;

export interface TicketUpdate {
  readonly action: Exclude<TicketAction, 'created'>;
  readonly actorId: number;
  readonly changes?: Partial<TicketRow>;
  readonly comment?: NewComment | null;
  readonly mergedInto?: number;
}

export class Store {
  /** Tells of every change of a ticket. */
  readonly journal = new Journal();
  readonly #seed: number;
  readonly #groups: GroupRow[];
  readonly #organizations: OrganizationRow[];
  readonly #users: UserRow[];
  readonly #tickets: TicketRow[];
  readonly #usersById = new Map<number, UserRow>();
  readonly #usersByEmail = new Map<string, UserRow>();
  readonly #organizationsById = new Map<number, OrganizationRow>();
  #version = 0;
  #userSequence: number;
  readonly #incidents = new IncidentCounts();
  #sorted = new Map<string, { version: number; rows: readonly unknown[] }>();

  constructor(options: StoreOptions) {
    const dataset = createDataset(options.seed, options.tickets, options.anchor);
    this.#seed = options.seed;
    this.#groups = dataset.groups;
    this.#organizations = dataset.organizations;
    this.#users = dataset.users;
    this.#tickets = dataset.tickets;
    for (const user of this.#users) this.#index(user);
    for (const organization of this.#organizations)
      this.#organizationsById.set(organization.id, organization);
    for (const ticket of this.#tickets) this.#incidents.move(null, ticket);
    this.#userSequence = this.#users.length;
  }

  #index(user: UserRow): void {
    this.#usersById.set(user.id, user);
    if (user.email) this.#usersByEmail.set(user.email.toLowerCase(), user);
  }

  /** Grows with every change of any row. */
  get version(): number {
    return this.#version;
  }

  get groups(): readonly GroupRow[] {
    return this.#groups;
  }

  get organizations(): readonly OrganizationRow[] {
    return this.#organizations;
  }

  get users(): readonly UserRow[] {
    return this.#users;
  }

  /** Every ticket by ascending id, deleted ones included. */
  get tickets(): readonly TicketRow[] {
    return this.#tickets;
  }

  group(id: number): GroupRow | null {
    return this.#groups.find((group) => group.id === id) ?? null;
  }

  organization(id: number): OrganizationRow | null {
    return this.#organizationsById.get(id) ?? null;
  }

  user(id: number): UserRow | null {
    return this.#usersById.get(id) ?? null;
  }

  userByEmail(email: string): UserRow | null {
    return this.#usersByEmail.get(email.toLowerCase()) ?? null;
  }

  /** A ticket that is not deleted. */
  ticket(id: number): TicketRow | null {
    const row = this.#tickets[id - 1];
    return row && row.deletedAt === null ? row : null;
  }

  /** A ticket in the trash: deleted, but not scrubbed, so that it can still be restored. */
  deletedTicket(id: number): TicketRow | null {
    const row = this.#tickets[id - 1];
    return row && row.deletedAt !== null && !row.scrubbed ? row : null;
  }

  /** A ticket in whatever state, deleted and scrubbed ones included. */
  anyTicket(id: number): TicketRow | null {
    return this.#tickets[id - 1] ?? null;
  }

  /** Whether a living ticket names this one as its problem. */
  hasIncidents(id: number): boolean {
    return this.#incidents.has(id);
  }

  /** What the ticket lists show at `now`: neither deleted nor archived. */
  listedTickets(now: number, includeAiAgent: boolean): readonly TicketRow[] {
    const minute = Math.floor(now / 60_000);
    return this.cached(`listed:${includeAiAgent}:${minute}`, () =>
      this.#tickets.filter(
        (row) =>
          row.deletedAt === null &&
          (includeAiAgent || !row.aiAgent) &&
          !(row.status === 'closed' && row.updatedAt < now - ARCHIVE_AFTER),
      ),
    );
  }

  /** Keeps a derived list until the next change; at most 32 lists are kept. */
  cached<T>(key: string, derive: () => readonly T[]): readonly T[] {
    const hit = this.#sorted.get(key);
    if (hit && hit.version === this.#version) return hit.rows as readonly T[];
    const rows = derive();
    if (this.#sorted.size >= 32) this.#sorted.clear();
    this.#sorted.set(key, { version: this.#version, rows });
    return rows;
  }

  nextTicketId(): number {
    return this.#tickets.length + 1;
  }

  /** Adds a ticket whose id came from `nextTicketId`, together with its first comment. */
  createTicket(row: TicketRow, comment: NewComment, actorId: number, now: number): CommentRow {
    if (row.id !== this.#tickets.length + 1) throw new RangeError('"row.id" must be the next ticket id');
    this.#tickets.push(row);
    const added = this.#appendComment(row, comment);
    this.#publish({ action: 'created', actorId }, null, row, added, now);
    return added;
  }

  /**
   * Changes a row: adds the comment, applies the changes, moves `updatedAt` (not for `system`) and
   * `generatedAt`. The seeded conversation is fixed in place first, so that the change doesn't reword it.
   */
  changeTicket(row: TicketRow, update: TicketUpdate, now: number): CommentRow | null {
    this.#settle(row);
    const before = { ...row };
    const added = update.comment ? this.#appendComment(row, update.comment) : null;
    Object.assign(row, update.changes);
    const seconds = Math.floor(now / 1000);
    if (update.action !== 'system') row.updatedAt = seconds * 1000;
    row.generatedAt = Math.max(row.generatedAt, seconds);
    this.#publish(update, before, row, added, now);
    return added;
  }

  #publish(
    update: { readonly action: TicketAction; readonly actorId: number; readonly mergedInto?: number },
    before: TicketRow | null,
    row: TicketRow,
    comment: CommentRow | null,
    now: number,
  ): void {
    const { action, actorId } = update;
    this.#version += 1;
    const flipped = this.#incidents.move(before, row);
    const mergedInto = update.mergedInto ?? null;
    this.journal.publish({ action, row, before, comment, mergedInto, actorId, at: now });
    // A problem whose `has_incidents` turns is changed by the system, as nobody wrote to it.
    for (const id of flipped) {
      const problem = this.anyTicket(id);
      if (problem) this.changeTicket(problem, { action: 'system', actorId }, now);
    }
  }

  addUser(fields: Omit<UserRow, 'id'>): UserRow {
    const user: UserRow = { id: FIRST_USER_ID + this.#userSequence * 7, ...fields };
    this.#userSequence += 1;
    this.#users.push(user);
    this.#index(user);
    this.#version += 1;
    return user;
  }

  updateUser(user: UserRow, changes: Partial<UserRow>): void {
    Object.assign(user, changes);
    this.#version += 1;
  }

  /** The first comment's text. */
  description(row: Readonly<TicketRow>): string {
    if (row.comments) return row.comments[0]?.body ?? '';
    return composeDescription(this.#seed, row, this.user(row.requesterId)?.name ?? 'Customer');
  }

  /** All comments, oldest first. */
  comments(row: TicketRow): readonly CommentRow[] {
    return row.comments ?? this.#compose(row);
  }

  #compose(row: TicketRow): CommentRow[] {
    const requester = this.user(row.requesterId) ?? { id: row.requesterId, name: 'Customer' };
    const agent = (row.assigneeId === null ? null : this.user(row.assigneeId)) ?? this.#users[1] ?? requester;
    return composeComments(this.#seed, row, requester, agent);
  }

  #appendComment(row: TicketRow, comment: NewComment): CommentRow {
    row.comments ??= [];
    const added: CommentRow = { ...commentIds(row.id, row.comments.length), ...comment };
    row.comments.push(added);
    row.commentCount = row.comments.length;
    return added;
  }

  /** Keeps the seeded conversation as it reads now, before a change of requester, assignee or status. */
  #settle(row: TicketRow): void {
    row.comments ??= this.#compose(row);
  }
}
