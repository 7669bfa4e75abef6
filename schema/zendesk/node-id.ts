import { parseObjectId, type ZendeskObjectId } from '../../src/service/index.ts';

const TYPE_NAMES: Readonly<Record<ZendeskObjectId['kind'], string>> = {
  ticket: 'Ticket',
  comment: 'Comment',
  user: 'User',
  organization: 'Organization',
};

/** The name of the type whose global id `id` is, `null` where it is none of Zendesk's. */
export function zendeskTypeOf(id: string): string | null {
  const parsed = parseObjectId(id);
  return parsed === null ? null : TYPE_NAMES[parsed.kind];
}

/** The integration that a global id of Zendesk's belongs to; its type has been chosen by {@link zendeskTypeOf}. */
export function integrationOf(id: string): string {
  const parsed = parseObjectId(id);
  if (parsed === null) throw new TypeError('"id" must be a global id of an object of Zendesk');
  return parsed.integrationId;
}
