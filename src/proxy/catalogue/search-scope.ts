/**
 * What a search may find for a caller who may not list people or organizations: tickets, and those of the
 * two that may be listed. Zendesk takes equal keys of a query as alternatives, so a `type:` in front
 * narrows only a query that names no other one.
 */
import { SealdeskError } from '../../base/index.ts';

export type SearchKind = 'ticket' | 'user' | 'organization';

export interface SearchScope {
  readonly query: string;
  /** The kinds it may answer, `null` for all. */
  readonly kinds: readonly SearchKind[] | null;
}

/** The key with any operator; `ticket_type` is another one. */
const TYPE_KEY = /(?<!\w)type\s*[:<>=]/gi;
const PLAIN_TYPE = /(?<=^|\s)type:(ticket|user|organization)(?=\s|$)/gi;

/**
 * The query as it may be sent; `wanted` is the kind that the request itself narrows to. Throws
 * OPERATION_NOT_ALLOWED for one that asks for more, naming the operation that would permit it.
 */
export function scopeSearch(
  query: string,
  wanted: SearchKind | null,
  isPermitted: (operation: string) => boolean,
): SearchScope {
  const users = isPermitted('list_users');
  const organizations = isPermitted('list_organizations');
  if (users && organizations) {
    return {
      query: wanted === null ? query : `type:${wanted} ${query}`,
      kinds: wanted === null ? null : [wanted],
    };
  }
  const permitted: readonly SearchKind[] = [
    'ticket',
    ...(users ? (['user'] as const) : []),
    ...(organizations ? (['organization'] as const) : []),
  ];
  const missing = users ? 'list_organizations' : 'list_users';
  // Letters and signs that only look otherwise, or cannot be seen, count as what they stand for.
  const plain = query.normalize('NFKC').replace(/\p{Cf}/gu, '');
  const named = [...plain.matchAll(PLAIN_TYPE)].map(([, kind]) =>
    permitted.find((one) => one === kind?.toLowerCase()),
  );
  const isWithin = named.length === [...plain.matchAll(TYPE_KEY)].length && !named.includes(undefined);
  if (!isWithin || (wanted !== null && !permitted.includes(wanted))) {
    throw new SealdeskError(
      'OPERATION_NOT_ALLOWED',
      `This search may find ${permitted.join('s and ')}s only. Leave other uses of "type" out, or have an ADMIN allow ${missing}.`,
      { subject: missing },
    );
  }
  const asked = wanted === null ? named : [wanted, ...named];
  const kinds = asked.length === 0 ? permitted : permitted.filter((kind) => asked.includes(kind));
  return { query: `${kinds.map((kind) => `type:${kind}`).join(' ')} ${query}`, kinds };
}
