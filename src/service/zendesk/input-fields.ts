/** Fields that the inputs of the typed graph share. Messages are for people, shown next to the field. */
import { z } from 'zod';
import { type NumberedKind, parseObjectId, parseZendeskId } from './object-id.ts';

export const DEFAULT_SLICE = 25;
export const MAX_SLICE = 100;
const MAX_CURSOR_CHARACTERS = 4_096;
const MAX_LISTED = 20;
/** C0 and C1 controls. */
export const CONTROL = /\p{Cc}/u;
const NOT_A_CURSOR = 'is not a cursor of this connection; send the endCursor of the page before';

const KIND_NAMES: Readonly<Record<NumberedKind, string>> = {
  ticket: 'a ticket',
  user: 'a user',
  organization: 'an organization',
};

/** Arguments of every list of Zendesk's: forwards only. */
export const sliceFields = {
  first: z
    .int(`must be a whole number from 1 to ${MAX_SLICE}`)
    .min(1, 'must be at least 1')
    .max(MAX_SLICE, `must be at most ${MAX_SLICE}; ask for the next page with after`)
    .nullish()
    .transform((size) => size ?? DEFAULT_SLICE),
  after: z
    .string()
    .min(1, NOT_A_CURSOR)
    .max(MAX_CURSOR_CHARACTERS, NOT_A_CURSOR)
    .nullish()
    .transform((cursor) => cursor ?? null),
};

/** A number of Zendesk's, for what has no global id: a group, a brand, a custom status, a field. */
export const zendeskIdField = z.string().transform((text, context) => {
  const id = parseZendeskId(text);
  if (id !== null) return id;
  context.addIssue('must be an id of Zendesk, a positive whole number');
  return z.NEVER;
});

/** The id of an object of the integration: Zendesk's own number, or the global id. */
export function objectIdField(kind: NumberedKind, integrationId: string) {
  return z.string().transform((text, context) => {
    const plain = parseZendeskId(text);
    if (plain !== null) return plain;
    const id = parseObjectId(text);
    if (id?.kind !== kind) {
      context.addIssue(`must be the id of ${KIND_NAMES[kind]}: Zendesk’s number, or the global id`);
      return z.NEVER;
    }
    if (id.integrationId !== integrationId) {
      context.addIssue('belongs to another integration');
      return z.NEVER;
    }
    return id.zendeskId;
  });
}

/** The global id of a ticket, which names its integration as well. */
export const globalTicketIdField = z.string().transform((text, context) => {
  const id = parseObjectId(text);
  if (id?.kind === 'ticket') return id;
  context.addIssue('must be the global id of a ticket, as the field id of Ticket answers it');
  return z.NEVER;
});

/** A value of an enum of the graph, in Zendesk's spelling; `refused` are values that are only answered. */
export function enumField(refused: Readonly<Record<string, string>> = {}) {
  return z.string().transform((value, context) => {
    const reason = Object.hasOwn(refused, value) ? refused[value] : undefined;
    if (reason === undefined) return value.toLowerCase().replaceAll('_', '-');
    context.addIssue(reason);
    return z.NEVER;
  });
}

const ONLY_ANSWERED =
  'OTHER stands for values that this schema does not know; it is only answered, never taken';
export const statusField = enumField({
  OTHER: ONLY_ANSWERED,
  DELETED: 'DELETED is only answered, never taken: Zendesk neither lists nor sets it',
});
export const valueField = enumField({ OTHER: ONLY_ANSWERED });

/** Text that a person types into one line. */
export const oneLine = (max: number) =>
  z
    .string()
    .refine(
      (text) => text.trim() !== '' && text.length <= max && text.isWellFormed() && !CONTROL.test(text),
      `must be text of 1 to ${max} characters on one line`,
    );

/** One or several of a kind, each once. */
export const listOf = <Item extends z.ZodType>(item: Item, max = MAX_LISTED) =>
  z
    .array(item)
    .min(1, 'must name at least one; leave it out to filter by it no more')
    .max(max, `must name at most ${max}`)
    .transform((items) => [...new Set(items)]);

/** `null` is as good as left out. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullish().transform((value) => value ?? undefined);
