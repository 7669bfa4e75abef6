/**
 * Lists of one account, each slice read once in a session and together with whoever asks for the same
 * at the same time. What pages bring along is kept for the loads of single objects. All that is read,
 * and all that is kept, counts against the session's allowance.
 */
import { z } from 'zod';
import type { JsonObject } from '../../base/index.ts';
import {
  readPageEnd,
  unusableAnswer,
  ZendeskError,
  type ZendeskQuery,
  type ZendeskResponse,
} from '../../zendesk/index.ts';
import { readBody, records, type ZendeskRecord } from '../catalogue/records.ts';
import type { AccountObjects } from './account-objects.ts';
import { listNameOf } from './cursor.ts';
import { type RecordSlice, readCursorSlice, type ZendeskPage } from './cursor-list.ts';
import type { SliceRequest } from './list-request.ts';
import type { ListSource } from './list-source.ts';
import { type NumberedPage, readNumberedSlice } from './offset-list.ts';
import type { ReadAllowance } from './read-allowance.ts';
import { MAX_INT } from './record-fields.ts';

/** A GET on behalf of one operation of the catalogue. */
export type Get = (path: string, query: ZendeskQuery) => Promise<ZendeskResponse>;

/** Records on a page once a page of more was larger than the gateway reads. */
const SMALL_PAGE_SIZE = 10;

const listBody = z.looseObject({
  tickets: records.nullish(),
  users: records.nullish(),
  organizations: records.nullish(),
  comments: records.nullish(),
  results: records.nullish(),
});
type ListBody = z.infer<typeof listBody>;

export class AccountReads {
  readonly #integrationId: string;
  readonly #objects: AccountObjects;
  readonly #allowance: ReadAllowance;
  /** Of slices, which may be asked for again under another name. */
  readonly #answers = new Map<string, Promise<ZendeskResponse>>();
  /** Of what is only looked through, as long as it is on its way. */
  readonly #passing = new Map<string, Promise<ZendeskResponse>>();
  /** Lists of which a page was too large. */
  readonly #large = new Set<string>();

  constructor(integrationId: string, objects: AccountObjects, allowance: ReadAllowance) {
    this.#integrationId = integrationId;
    this.#objects = objects;
    this.#allowance = allowance;
  }

  /** The slice of the list that `request` asks for. Throws VALIDATION_FAILED for a cursor of another list. */
  async slice(get: Get, source: ListSource, request: SliceRequest): Promise<RecordSlice> {
    const name = listNameOf(this.#integrationId, source.identity);
    if (source.paging === 'CURSOR') {
      return readCursorSlice(name, request, (start, size) => {
        const load = (query: ZendeskQuery) => this.#keepAnswer(get, source.path, query);
        return this.#cursorPage(load, source, start, size);
      });
    }
    const { resultTypes, cap } = source;
    return readNumberedSlice(
      {
        name,
        cap,
        holds: (one) => resultTypes === null || resultTypes.includes(String(one['result_type'])),
        load: (page, size) => this.#numberedPage(get, source, page, size),
      },
      request,
    );
  }

  /**
   * A page to look through, which is not kept: of at most `size` records of a list that is paged by
   * cursor; of fewer where so many are too large.
   */
  async page(get: Get, source: ListSource, start: string | null, size: number): Promise<ZendeskPage> {
    const load = (query: ZendeskQuery) => this.#passAnswer(get, source.path, query);
    return this.#cursorPage(load, source, start, size);
  }

  async #cursorPage(
    load: (query: ZendeskQuery) => Promise<ZendeskResponse>,
    source: ListSource,
    start: string | null,
    size: number,
  ): Promise<ZendeskPage> {
    const response = await this.#smallerWhereLarge(source.path, size, (count) =>
      load({ ...source.query, 'page[size]': count, 'page[after]': start ?? undefined }),
    );
    return { records: this.#take(source, response), ...readPageEnd(response.body ?? {}) };
  }

  async #smallerWhereLarge(
    path: string,
    size: number,
    load: (size: number) => Promise<ZendeskResponse>,
  ): Promise<ZendeskResponse> {
    const small = Math.min(size, SMALL_PAGE_SIZE);
    if (this.#large.has(path)) return load(small);
    try {
      return await load(size);
    } catch (error) {
      const isOversize = error instanceof ZendeskError && error.failure === 'OVERSIZE';
      if (!isOversize || size === small) throw error;
      this.#large.add(path);
      return load(small);
    }
  }

  /** Forgets what was read: a change may have moved it. */
  forget(): void {
    this.#answers.clear();
    this.#passing.clear();
  }

  async #numberedPage(get: Get, source: ListSource, page: number, size: number): Promise<NumberedPage> {
    const response = await this.#keepAnswer(get, source.path, { ...source.query, page, per_page: size });
    const body: JsonObject = response.body ?? {};
    const count = body['count'];
    return {
      records: this.#take(source, response),
      count: isCount(count) ? count : null,
      hasMore: typeof body['next_page'] === 'string',
    };
  }

  #keepAnswer(get: Get, path: string, query: ZendeskQuery): Promise<ZendeskResponse> {
    const key = keyOf(path, query);
    const answer = this.#answers.get(key) ?? this.#holdAnswer(get, path, query);
    this.#answers.set(key, answer);
    return answer;
  }

  /** One that is kept, or under way for somebody else, or asked for and forgotten. */
  #passAnswer(get: Get, path: string, query: ZendeskQuery): Promise<ZendeskResponse> {
    const key = keyOf(path, query);
    const present = this.#answers.get(key) ?? this.#passing.get(key);
    if (present !== undefined) return present;
    const answer = this.#lookThrough(get, path, query).finally(() => {
      if (this.#passing.get(key) === answer) this.#passing.delete(key);
    });
    this.#passing.set(key, answer);
    return answer;
  }

  async #holdAnswer(get: Get, path: string, query: ZendeskQuery): Promise<ZendeskResponse> {
    this.#allowance.takeCalls(1);
    const response = await get(path, query);
    this.#allowance.hold(response.body);
    return response;
  }

  async #lookThrough(get: Get, path: string, query: ZendeskQuery): Promise<ZendeskResponse> {
    this.#allowance.takeCalls(1);
    const response = await get(path, query);
    // Its people are kept for the one record that may be found in it.
    this.#allowance.hold(response.body?.['users'] ?? null);
    return response;
  }

  /** The records of an answer; people and organizations that came along are kept as far as they go. */
  #take({ member }: ListSource, response: ZendeskResponse): readonly ZendeskRecord[] {
    const body: ListBody = readBody(listBody, response);
    const taken = body[member];
    if (taken === undefined || taken === null) throw unusableAnswer(response.status, false);
    // What search finds may lag behind by minutes; a list is as of now.
    const isCurrent = member !== 'results';
    if (member !== 'users') this.#objects.keepPartial('users', body.users ?? [], { isCurrent });
    if (member !== 'organizations') {
      this.#objects.keepPartial('organizations', body.organizations ?? [], { isCurrent });
    }
    if (member === 'tickets' || member === 'users' || member === 'organizations') {
      this.#objects.keep(member, taken);
    }
    return taken;
  }
}

function keyOf(path: string, query: ZendeskQuery): string {
  return JSON.stringify([path, query]);
}

/** A count beyond GraphQL's integers is none: 32 bits with sign. */
function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_INT;
}
