/**
 * Lists of one account, each page read once in a session and together with whoever asks for the same
 * at the same time. What pages bring along is kept for the loads of single objects.
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
import { readBody, record, type ZendeskRecord } from '../catalogue/records.ts';
import type { AccountObjects } from './account-objects.ts';
import { listNameOf } from './cursor.ts';
import { type RecordSlice, readCursorSlice, type ZendeskPage } from './cursor-list.ts';
import type { SliceRequest } from './list-request.ts';
import type { ListSource } from './list-source.ts';
import { type NumberedPage, readNumberedSlice } from './offset-list.ts';

/** A GET on behalf of one operation of the catalogue. */
export type Get = (path: string, query: ZendeskQuery) => Promise<ZendeskResponse>;

/** Records on a page once a page of more was larger than the gateway reads. */
const SMALL_PAGE_SIZE = 10;

const records = z.array(record).optional();
const listBody = z.looseObject({
  tickets: records,
  users: records,
  organizations: records,
  comments: records,
  results: records,
});
type ListBody = z.infer<typeof listBody>;

export class AccountReads {
  readonly #integrationId: string;
  readonly #objects: AccountObjects;
  readonly #answers = new Map<string, Promise<ZendeskResponse>>();
  /** Lists of which a page was too large. */
  readonly #large = new Set<string>();

  constructor(integrationId: string, objects: AccountObjects) {
    this.#integrationId = integrationId;
    this.#objects = objects;
  }

  /** The slice of the list that `request` asks for. Throws VALIDATION_FAILED for a cursor of another list. */
  async slice(get: Get, source: ListSource, request: SliceRequest): Promise<RecordSlice> {
    const name = listNameOf(this.#integrationId, source.identity);
    if (source.paging === 'CURSOR') {
      return readCursorSlice(name, request, (start, size) => this.page(get, source, start, size));
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

  /** A page of at most `size` records of a list that is paged by cursor; of fewer where so many are too large. */
  async page(get: Get, source: ListSource, start: string | null, size: number): Promise<ZendeskPage> {
    const load = (count: number): Promise<ZendeskResponse> =>
      this.#get(get, source.path, {
        ...source.query,
        'page[size]': count,
        'page[after]': start ?? undefined,
      });
    const response = await this.#smallerWhereLarge(source.path, size, load);
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
  }

  async #numberedPage(get: Get, source: ListSource, page: number, size: number): Promise<NumberedPage> {
    const response = await this.#get(get, source.path, { ...source.query, page, per_page: size });
    const body: JsonObject = response.body ?? {};
    const count = body['count'];
    return {
      records: this.#take(source, response),
      count: typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null,
      hasMore: typeof body['next_page'] === 'string',
    };
  }

  #get(get: Get, path: string, query: ZendeskQuery): Promise<ZendeskResponse> {
    const key = JSON.stringify([path, query]);
    const answer = this.#answers.get(key) ?? get(path, query);
    this.#answers.set(key, answer);
    return answer;
  }

  /** The records of an answer; people and organizations that came along are kept as far as they go. */
  #take({ member }: ListSource, response: ZendeskResponse): readonly ZendeskRecord[] {
    const body: ListBody = readBody(listBody, response);
    const taken = body[member];
    if (taken === undefined) throw unusableAnswer(response.status, false);
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
