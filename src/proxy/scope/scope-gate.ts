/**
 * The gate that everything of Zendesk passes on its way to a restricted client key, however it was asked for: by
 * an operation of the catalogue or by the typed graph, by itself or together with others. It looks at what came back,
 * record by record, not at what was asked: a record that is not within the restriction is as good as not there, and
 * of one that is within only what may be shown goes on.
 *
 * People and organizations are shown only where a ticket or comment that has passed refers to them, so one gate
 * serves one call or one GraphQL operation on one integration. Members of an answer that it does not know do not pass,
 * counts among them.
 */
import type { Restriction } from '../../access/index.ts';
import { isSealdeskError, type JsonObject, type JsonValue, SealdeskError } from '../../base/index.ts';
import { ZendeskError, type ZendeskResponse } from '../../zendesk/index.ts';
import { isObject, record, type ZendeskRecord } from '../catalogue/records.ts';
import {
  isWithin,
  peopleOfTicket,
  scopedComment,
  scopedOrganization,
  scopedPerson,
  scopedTicket,
} from './ticket-scope.ts';

export type GatedKind = 'tickets' | 'comments' | 'users' | 'organizations' | 'groups';

/** In this order: people and the rest are shown where what comes before refers to them. */
const LISTS: readonly GatedKind[] = ['tickets', 'comments', 'users', 'organizations', 'groups'];

export class ScopeGate {
  readonly restriction: Restriction;
  readonly #people = new Set<number>();
  readonly #organizations = new Set<number>();
  readonly #groups = new Set<number>();
  readonly #shown = new Set<number>();

  constructor(restriction: Restriction) {
    this.restriction = restriction;
    if (restriction.kind === 'ORGANIZATION') this.#organizations.add(restriction.organizationId);
    else this.#people.add(restriction.requesterId);
  }

  /** Ids of the tickets that have passed. */
  get shown(): readonly number[] {
    return [...this.#shown];
  }

  /** What is shown of a record, `null` where nothing is. */
  pass(kind: GatedKind, one: ZendeskRecord): ZendeskRecord | null {
    switch (kind) {
      case 'tickets':
        return this.#passTicket(one);
      case 'comments':
        return this.#passComment(one);
      case 'users':
        return this.#people.has(one.id) ? scopedPerson(one) : null;
      case 'organizations':
        return this.#organizations.has(one.id) ? scopedOrganization(one) : null;
      case 'groups':
        return this.#groups.has(one.id) ? scopedOrganization(one) : null;
      default:
        return kind satisfies never;
    }
  }

  /**
   * An answer of Zendesk as it may be shown. Comments are shown whose ticket they are of: that it is within has to be
   * asked before. Throws NOT_FOUND where the one ticket that it is about is outside, with the words for one that is
   * not there.
   */
  passResponse(response: ZendeskResponse): ZendeskResponse {
    const body = response.body ?? {};
    const passed: Record<string, JsonValue> = {};
    if (body['ticket'] !== undefined) {
      const ticket = record.safeParse(body['ticket']).data;
      const shown = ticket === undefined ? null : this.#passTicket(ticket);
      if (shown === null) throw noSuchTicket();
      passed['ticket'] = shown;
    }
    for (const kind of LISTS) {
      const list = body[kind];
      if (Array.isArray(list)) passed[kind] = this.#passList(kind, list);
    }
    return { ...response, body: { ...passed, ...pagingOf(body) } };
  }

  /**
   * A failure of Zendesk as it is told: that a record is not there sounds like that it is outside, and of all others
   * Zendesk's own words are left out, which no gate can look at.
   */
  tell(error: unknown): unknown {
    if (!isSealdeskError(error, 'NOT_FOUND')) {
      return error instanceof ZendeskError ? error.withoutUpstream() : error;
    }
    const { mutation } = error.details;
    return mutation === undefined ? noSuchTicket() : noSuchTicket().with({ mutation });
  }

  #passList(kind: GatedKind, list: readonly JsonValue[]): ZendeskRecord[] {
    return list.flatMap((one) => {
      const { data } = record.safeParse(one);
      const shown = data === undefined ? null : this.pass(kind, data);
      return shown === null ? [] : [shown];
    });
  }

  #passTicket(ticket: ZendeskRecord): ZendeskRecord | null {
    const { organization_id, requester_id, is_public } = ticket;
    if (!isWithin(this.restriction, { organization_id, requester_id, is_public })) return null;
    const shown = scopedTicket(ticket);
    this.#shown.add(shown.id);
    for (const id of peopleOfTicket(shown)) this.#people.add(id);
    note(this.#organizations, shown['organization_id']);
    note(this.#groups, shown['group_id']);
    return shown;
  }

  #passComment(comment: ZendeskRecord): ZendeskRecord | null {
    const shown = scopedComment(comment);
    if (shown !== null) note(this.#people, shown['author_id']);
    return shown;
  }
}

/** One text for a ticket that is not there and for one that is outside. */
export function noSuchTicket(): SealdeskError {
  return new SealdeskError(
    'NOT_FOUND',
    'There is no such ticket within what the client key is restricted to.',
  );
}

/** Where a list goes on. */
function pagingOf({ meta, next_page: nextPage }: JsonObject): JsonObject {
  return {
    ...(typeof nextPage === 'string' ? { next_page: nextPage } : {}),
    ...(isObject(meta) ? { meta: { has_more: meta['has_more'], after_cursor: meta['after_cursor'] } } : {}),
  };
}

function note(ids: Set<number>, id: JsonValue | undefined): void {
  if (typeof id === 'number' && Number.isSafeInteger(id)) ids.add(id);
}
