/**
 * The state of the simulated account in memory. Everything that changes a row goes through here, so that
 * `version` tells caches and cursors when the data moved. Not durable: a restart begins from the seed.
 */
import { commentIds, composeComments, composeDescription } from './conversation.ts';
import { createDataset } from './dataset.ts';
import { GroupMemberships } from './group-memberships.ts';
import { IncidentCounts } from './incident-counts.ts';
import { Journal, type TicketAction } from './journal.ts';
import type { PeopleOptions } from './options.ts';
import type { CommentRow, GroupRow, OrganizationRow, TicketRow, UserRow } from './records.ts';
import { Sessions } from './sessions.ts';
import { UserStore } from './user-store.ts';

const DAY = 86_400_000;
/** Closed tickets this long untouched are archived and leave the lists (the exact time at Zendesk is not published). */
export const ARCHIVE_AFTER = 120 * DAY;

export interface StoreOptions {
  readonly seed: number;
  readonly tickets: number;
  readonly anchor: number;
  readonly people?: PeopleOptions;
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
  /** When the seeded data ends, in milliseconds. */
  readonly anchor: number;
  readonly #groups: GroupRow[];
  readonly #organizations: OrganizationRow[];
  readonly people: UserStore;
  readonly memberships: GroupMemberships;
  readonly sessions: Sessions;
  readonly #tickets: TicketRow[];
  readonly #organizationsById = new Map<number, OrganizationRow>();
  #version = 0;
  readonly #incidents = new IncidentCounts();
  #sorted = new Map<string, { version: number; rows: readonly unknown[] }>();

  constructor(options: StoreOptions) {
    const dataset = createDataset(options.seed, options.tickets, options.anchor, options.people);
    this.#seed = options.seed;
    this.anchor = options.anchor;
    this.#groups = dataset.groups;
    this.#organizations = dataset.organizations;
    this.people = new UserStore(dataset.users, () => {
      this.#version += 1;
    });
    const groupIds = options.people?.varied === true ? this.#groups.map((group) => group.id) : [];
    this.memberships = new GroupMemberships(this.people, groupIds);
    this.sessions = new Sessions(options.seed, options.anchor);
    this.#tickets = dataset.tickets;
    for (const organization of this.#organizations)
      this.#organizationsById.set(organization.id, organization);
    for (const ticket of this.#tickets) this.#incidents.move(null, ticket);
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
    return this.people.rows;
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
    return this.people.get(id);
  }

  userByEmail(email: string): UserRow | null {
    return this.people.byEmail(email);
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
    // A ticket is public as soon as any of its comments is.
    if (added?.public === true) row.isPublic = true;
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
    return this.people.add(fields);
  }

  /** `now` null leaves the user's times as they are. */
  updateUser(user: UserRow, changes: Partial<UserRow>, now: number | null): void {
    this.people.update(user, changes, now);
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
    const agent =
      (row.assigneeId === null ? null : this.user(row.assigneeId)) ?? this.people.rows[1] ?? requester;
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
