/**
 * Records as Zendesk sends them, and how much of the people in them an answer shows. Tickets and
 * comments keep the fields Zendesk gives, known to us or not; of people and organizations that they
 * reference only id, name and photo go out unless the caller may run `list_users`.
 */
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../base/index.ts';
import { unusableAnswer, type ZendeskResponse } from '../../zendesk/index.ts';

/** A Zendesk object with its id; all other fields as Zendesk sends them. */
export type ZendeskRecord = JsonObject & { readonly id: number };

export const record: z.ZodType<ZendeskRecord> = z.custom<ZendeskRecord>(
  isRecord,
  'must be a record with an id',
);

/** A list of records, without those that have no id which could name them. */
export const records: z.ZodType<ZendeskRecord[]> = z
  .custom<readonly unknown[]>(Array.isArray)
  .transform((list) => list.filter(isRecord));

/** What of a person goes with a ticket: `photo` is the address of the picture. */
export const personReference = z.strictObject({
  id: z.number(),
  name: z.string().nullable(),
  photo: z.string().nullable(),
});
export type PersonReference = z.infer<typeof personReference>;

/** What of an organization or group goes with a ticket. */
export const namedReference = z.strictObject({ id: z.number(), name: z.string().nullable() });
export type NamedReference = z.infer<typeof namedReference>;

/** Members of `via.source.from` and `.to` that say where a message came from, not from whom. */
const SOURCE_MEMBERS = ['id', 'name', 'title', 'subject', 'ticket_id', 'ticket_ids', 'deleted', 'channel'];

/**
 * The answer's body as `schema` reads it; a body of another shape is no answer, and leaves the
 * outcome of a change unknown.
 */
export function readBody<Body>(schema: z.ZodType<Body>, response: ZendeskResponse, mutation = false): Body {
  const parsed = schema.safeParse(response.body);
  if (!parsed.success) throw unusableAnswer(response.status, mutation);
  return parsed.data;
}

const sideLoad = records
  .nullish()
  .transform((list) => list ?? undefined)
  .optional();

/** Side-loaded arrays, present or not. */
export const sideLoads = {
  users: sideLoad,
  organizations: sideLoad,
  groups: sideLoad,
} as const;

export function personOf(user: ZendeskRecord): PersonReference {
  const photo = user['photo'];
  const address = isObject(photo) ? photo['content_url'] : photo;
  return { id: user.id, name: textOf(user['name']), photo: textOf(address) };
}

export function namedOf(of: ZendeskRecord): NamedReference {
  return { id: of.id, name: textOf(of['name']) };
}

/** Each person once, in the order of first mention. */
export function peopleOf(...lists: readonly (readonly ZendeskRecord[] | undefined)[]): PersonReference[] {
  const people = new Map<number, PersonReference>();
  for (const user of lists.flatMap((list) => list ?? [])) {
    if (!people.has(user.id)) people.set(user.id, personOf(user));
  }
  return [...people.values()];
}

/**
 * A ticket or comment without its senders' addresses, telephone numbers, network addresses and places
 * (`via.source`, `metadata`), which Zendesk mixes in.
 */
export function withoutContactData(of: ZendeskRecord): ZendeskRecord {
  const { metadata: _metadata, via, ...rest } = of;
  return { ...rest, id: of.id, ...(via === undefined ? {} : { via: viaWithoutContacts(via) }) };
}

function viaWithoutContacts(via: JsonValue): JsonValue {
  if (!isObject(via)) return via;
  const source = via['source'];
  if (!isObject(source)) return { channel: via['channel'] };
  return {
    channel: via['channel'],
    source: { from: partyOf(source['from']), to: partyOf(source['to']), rel: source['rel'] },
  };
}

function partyOf(party: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(party)) return undefined;
  return Object.fromEntries(
    SOURCE_MEMBERS.filter((name) => name in party).map((name) => [name, party[name]]),
  );
}

function isRecord(value: unknown): value is ZendeskRecord {
  return isObject(value) && Number.isSafeInteger(value['id']);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
