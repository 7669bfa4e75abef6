/**
 * Composes the texts of a seeded ticket when somebody reads them, so that 100,000 tickets need not hold
 * their conversations in memory. Deterministic for (seed, ticket id).
 */
import { COMMENT_ID_STRIDE, FIRST_COMMENT_ID, ORDER_FIELD_ID } from './account.ts';
import { createRandom, mixSeed, type Random } from './random.ts';
import type { CommentRow, TicketRow } from './records.ts';
import { CITIES, PRODUCTS, STORIES, type Story } from './stories.ts';

export interface Speaker {
  readonly id: number;
  readonly name: string;
}

const slotPattern = /\{(\w+)\}/g;

/** Fills the slots of a template; `first` and `agent` come from the people of the ticket. */
const fill = (template: string, slots: ReadonlyMap<string, string>): string =>
  template.replace(slotPattern, (whole, name: string) => slots.get(name) ?? whole);

const slotsOf = (random: Random, order: string, requester: string, agent: string): Map<string, string> =>
  new Map([
    ['product', random.pick(PRODUCTS)],
    ['city', random.pick(CITIES)],
    ['number', String(10_000 + random.below(89_999))],
    ['order', order],
    ['first', requester.split(' ')[0] ?? requester],
    ['agent', agent.split(' ')[0] ?? agent],
  ]);

export const storyOf = (index: number): Story => {
  const story = STORIES[index];
  if (!story) throw new RangeError(`"index" must be below ${STORIES.length}, got ${index}`);
  return story;
};

const textStream = (seed: number, ticketId: number): Random => createRandom(mixSeed(seed, ticketId, 77));

const orderOf = (ticket: TicketRow): string => String(ticket.customFields.get(ORDER_FIELD_ID) ?? 'LO-00000');

export const composeSubject = (seed: number, ticketId: number, story: number, order: string): string => {
  const random = textStream(seed, ticketId);
  const slots = slotsOf(random, order, '', '');
  return fill(random.pick(storyOf(story).subjects), slots);
};

/** The first comment of a seeded ticket. */
export const composeDescription = (seed: number, ticket: TicketRow, requesterName: string): string => {
  const random = textStream(seed, ticket.id);
  const slots = slotsOf(random, orderOf(ticket), requesterName, 'Lumen & Oak');
  const story = storyOf(ticket.story);
  random.pick(story.subjects);
  return fill(random.pick(story.openings), slots);
};

/** All comments of a seeded ticket, oldest first; `ticket.commentCount` of them. */
export const composeComments = (
  seed: number,
  ticket: TicketRow,
  requester: Speaker,
  agent: Speaker,
): CommentRow[] => {
  const random = createRandom(mixSeed(seed, ticket.id, 78));
  const story = storyOf(ticket.story);
  const slots = slotsOf(textStream(seed, ticket.id), orderOf(ticket), requester.name, agent.name);
  const comments: CommentRow[] = [];
  const span = Math.max(0, ticket.updatedAt - ticket.createdAt);
  const last = ticket.commentCount - 1;
  for (let index = 0; index <= last; index += 1) {
    const closing = index === last && index > 1 && (ticket.status === 'solved' || ticket.status === 'closed');
    const note = !closing && index > 1 && random.chance(0.2);
    const byAgent = note || (!closing && index % 2 === 1);
    const template =
      index === 0
        ? null
        : closing
          ? random.pick(story.closings)
          : note
            ? random.pick(story.notes)
            : byAgent
              ? (story.replies[((index - 1) >> 1) % story.replies.length] ?? '')
              : random.pick(story.followups);
    comments.push({
      ...commentIds(ticket.id, index),
      authorId: index === 0 || !byAgent ? requester.id : agent.id,
      body: template === null ? composeDescription(seed, ticket, requester.name) : fill(template, slots),
      public: !note,
      createdAt: ticket.createdAt + Math.floor((span * index) / Math.max(1, last) / 1000) * 1000,
      channel: index === 0 ? ticket.channel : byAgent ? 'web' : 'email',
    });
  }
  return comments;
};

export const commentIds = (ticketId: number, index: number): { id: number; auditId: number } => {
  const auditId = FIRST_COMMENT_ID + ticketId * COMMENT_ID_STRIDE + index * 2;
  return { auditId, id: auditId + 1 };
};
