/**
 * The seeded account: groups, agents, organizations, customers and tickets, all derived from one seed.
 * Ids, people and texts depend on the seed and the size only; dates count back from an anchor, which moves
 * in whole weeks from 2026-11-21 so that restarts within a week see the same times and none is in the future.
 */
import { AREA_FIELD_ID, FIRST_GROUP_ID, ORDER_FIELD_ID, REFUND_FIELD_ID } from './account.ts';
import { composeSubject } from './conversation.ts';
import { createGroups, createOrganizations, createUsers } from './dataset-people.ts';
import type { PeopleOptions } from './options.ts';
import { createRandom, mixSeed, type Random } from './random.ts';
import type {
  GroupRow,
  OrganizationRow,
  TicketPriority,
  TicketRow,
  TicketStatus,
  UserRow,
} from './records.ts';
import { STORIES } from './stories.ts';

export const DATASET_EPOCH = Date.UTC(2026, 10, 21);
const DAY = 86_400_000;
const WEEK = 7 * DAY;
/** How far back the oldest seeded ticket goes. */
const SPAN = 540 * DAY;

/** The moment the seeded data set ends: the epoch moved by whole weeks so as not to be after `now`. */
export const datasetAnchor = (now: number): number =>
  DATASET_EPOCH + Math.floor((now - DATASET_EPOCH) / WEEK) * WEEK;

export interface Dataset {
  readonly groups: GroupRow[];
  readonly organizations: OrganizationRow[];
  readonly users: UserRow[];
  readonly tickets: TicketRow[];
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000) * 1000;

const drawStatus = (random: Random, ageDays: number): TicketStatus => {
  const active = 0.08 + 0.7 * Math.exp(-ageDays / 20);
  if (random.chance(active)) {
    const draw = random.next();
    if (draw < 0.18) return ageDays < 10 ? 'new' : 'open';
    if (draw < 0.6) return 'open';
    return draw < 0.9 ? 'pending' : 'hold';
  }
  return ageDays < 30 ? 'solved' : 'closed';
};

const drawPriority = (random: Random, heat: number): TicketPriority | null => {
  const draw = random.next();
  if (draw < 0.12) return null;
  if (draw < 0.12 + heat * 0.22) return 'urgent';
  if (draw < 0.22 + heat * 0.5) return 'high';
  return draw < 0.82 ? 'normal' : 'low';
};

const SATISFACTION = ['unoffered', 'offered', 'good', 'good', 'bad'] as const;
const CHANNELS = ['email', 'email', 'web', 'web', 'api', 'mobile'] as const;
const AREAS = ['hardware', 'app', 'cloud', 'shop'] as const;

interface TicketCast {
  readonly seed: number;
  readonly anchor: number;
  readonly total: number;
  readonly staff: readonly UserRow[];
  readonly customers: readonly UserRow[];
}

const createTicket = (cast: TicketCast, id: number): TicketRow => {
  const random = createRandom(mixSeed(cast.seed, id, 1));
  const createdAt = seconds(cast.anchor - (SPAN * (cast.total - id + random.next())) / cast.total);
  const ageDays = (cast.anchor - createdAt) / DAY;
  const storyIndex = random.below(STORIES.length);
  const story = STORIES[storyIndex] ?? STORIES[0];
  if (!story) throw new RangeError('"STORIES" must not be empty');
  const customer = random.pick(cast.customers);
  const status = drawStatus(random, ageDays);
  const agent = status === 'new' ? null : random.pick(cast.staff);
  const done = status === 'solved' || status === 'closed';
  const lifetime = Math.min(ageDays, 0.05 + random.next() * (done ? 6 : 12)) * DAY;
  const updatedAt = Math.min(cast.anchor, seconds(createdAt + lifetime));
  const order = `LO-${10_000 + random.below(89_999)}`;
  const customFields = new Map<number, unknown>([
    [ORDER_FIELD_ID, order],
    [AREA_FIELD_ID, random.pick(AREAS)],
  ]);
  if (story.tags.includes('refund')) customFields.set(REFUND_FIELD_ID, `${10 + random.below(190)}.50`);
  const tags = story.tags.filter(() => random.chance(0.8));
  if (customer.tags.includes('vip')) tags.push('vip');
  const closedAt = status === 'closed' ? Math.min(cast.anchor, updatedAt + 4 * DAY) : updatedAt;
  return {
    id,
    createdAt,
    updatedAt: closedAt,
    generatedAt: closedAt / 1000 + 1,
    solvedAt: done ? updatedAt : null,
    deletedAt: null,
    deletedBy: null,
    scrubbed: false,
    subject: composeSubject(cast.seed, id, storyIndex, order),
    status,
    priority: drawPriority(random, story.heat),
    type: random.chance(0.9) ? story.type : null,
    requesterId: customer.id,
    submitterId: customer.id,
    assigneeId: agent?.id ?? null,
    organizationId: customer.organizationId,
    groupId: FIRST_GROUP_ID + story.group,
    problemId: null,
    followupSourceId: null,
    externalId: random.chance(0.15) ? `ext-${id}` : null,
    dueAt: null,
    channel: random.pick(CHANNELS),
    tags,
    collaboratorIds: [],
    customFields,
    satisfaction: done ? random.pick(SATISFACTION) : 'unoffered',
    isPublic: true,
    aiAgent: random.chance(0.01),
    commentCount: status === 'new' ? 1 : done ? 3 + random.below(4) : 1 + random.below(4),
    story: storyIndex,
    comments: null,
  };
};

/**
 * Builds the account: `ticketCount` tickets, one organization per sixty, and unless `people` says otherwise
 * about one customer per five tickets.
 */
export const createDataset = (
  seed: number,
  ticketCount: number,
  anchor: number,
  people: PeopleOptions = {},
): Dataset => {
  const groups = createGroups(anchor);
  const organizations = createOrganizations(
    seed,
    Math.min(600, Math.max(5, Math.round(ticketCount / 60))),
    anchor,
  );
  const usual = Math.min(8000, Math.max(20, Math.round(ticketCount / 5)));
  const users = createUsers(seed, usual, organizations, anchor, people);
  const cast: TicketCast = {
    seed,
    anchor,
    total: ticketCount,
    staff: users.filter((user) => user.role !== 'end-user' && !user.suspended),
    customers: users.filter((user) => user.role === 'end-user' && !user.suspended),
  };
  const tickets: TicketRow[] = [];
  for (let id = 1; id <= ticketCount; id += 1) tickets.push(createTicket(cast, id));
  return { groups, organizations, users, tickets };
};
