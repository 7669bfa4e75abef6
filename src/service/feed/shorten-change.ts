/**
 * The bound on a version of a ticket: one that is larger is told with its largest values cut, and says which. So no
 * ticket, whatever is in it, is too large to be sealed, sent or read, nor stands in the way of those after it.
 */
import type { TicketChangeContent, TicketSnapshot } from '../../base/index.ts';

/** Most bytes of a version, as JSON in UTF-8. */
export const MAX_CHANGE_BYTES = 256 * 1024;
/** Bytes that each value may keep: the first of these with which the version is not too large any more. */
const CEILINGS = [65_536, 16_384, 4_096, 1_024, 256] as const;
const LEAST_CEILING = 64;

type Changed = Extract<TicketChangeContent, { readonly kind: 'CHANGED' }>;
type CustomFields = TicketSnapshot['custom_fields'];

/** The version as it is where it is small enough, as almost always; else with all its values cut to one ceiling. */
export function shortenChange(change: Changed): Changed {
  if (sizeOf(change) <= MAX_CHANGE_BYTES) return change;
  for (const ceiling of [...CEILINGS, LEAST_CEILING]) {
    const shortened = cutChange(change, ceiling);
    if (sizeOf(shortened) <= MAX_CHANGE_BYTES) return shortened;
  }
  // Too many fields, however short each is.
  const bare = cutChange({ ...change, ticket: { ...change.ticket, custom_fields: [] } }, LEAST_CEILING);
  return { ...bare, shortened: [...bare.shortened, 'custom_fields'] };
}

function cutChange(change: Changed, ceiling: number): Changed {
  const { ticket } = change;
  const shortened: string[] = [];
  const cut = <T>(name: string, value: T, cutter: (value: T, ceiling: number) => T): T => {
    if (sizeOf(value) <= ceiling) return value;
    shortened.push(name);
    return cutter(value, ceiling);
  };
  const text = <T extends string | null>(name: keyof TicketSnapshot, value: T): T =>
    cut(name, value, (whole, most) => cutText(whole ?? '', most) as T);
  const list = <T>(name: keyof TicketSnapshot, value: readonly T[]): readonly T[] =>
    cut(name, value, cutList);
  const custom_fields: CustomFields = ticket.custom_fields.map(({ id, value }) => ({
    id,
    value: cut(`custom_fields.${id}`, value, cutFieldValue),
  }));
  const kept: TicketSnapshot = {
    ...ticket,
    subject: text('subject', ticket.subject),
    description: text('description', ticket.description),
    status: text('status', ticket.status),
    priority: text('priority', ticket.priority),
    type: text('type', ticket.type),
    tags: list('tags', ticket.tags),
    external_id: text('external_id', ticket.external_id),
    collaborator_ids: list('collaborator_ids', ticket.collaborator_ids),
    follower_ids: list('follower_ids', ticket.follower_ids),
    email_cc_ids: list('email_cc_ids', ticket.email_cc_ids),
    custom_fields,
    via_channel: text('via_channel', ticket.via_channel),
    satisfaction_score: text('satisfaction_score', ticket.satisfaction_score),
  };
  return { ...change, ticket: kept, shortened };
}

/** Half a list of choices, or half an object, would be another value: null says that it is not told. */
function cutFieldValue(value: unknown, ceiling: number): unknown {
  return typeof value === 'string' ? cutText(value, ceiling) : null;
}

/** The longest beginning of whole characters that is short enough, or one a little shorter. */
function cutText(text: string, ceiling: number): string {
  let kept = text;
  for (let size = sizeOf(kept); size > ceiling; size = sizeOf(kept)) {
    kept = kept.slice(0, Math.min(kept.length - 1, Math.floor((kept.length * ceiling) / size)));
  }
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
}

function cutList<T>(list: readonly T[], ceiling: number): readonly T[] {
  let size = 0;
  return list.filter((one) => {
    size += sizeOf(one) + 1;
    return size <= ceiling;
  });
}

/** Bytes of the JSON of it. */
function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
