/**
 * Calls of the API's own handlers from outside the API: without login, limits and request log, so that what
 * tests and demos change runs through the same checks and leaves the same traces.
 */
import type { Call, World } from './call.ts';
import type { UserRow } from './records.ts';

export interface DeskCall {
  readonly method: string;
  readonly path: string;
  readonly params?: readonly (number | string)[];
  readonly body?: unknown;
}

export const createDeskCall = (world: World, origin: string, user: UserRow, desk: DeskCall): Call => ({
  world,
  method: desk.method,
  path: desk.path,
  params: (desk.params ?? []).map(String),
  query: new URLSearchParams(),
  headers: {},
  body: desk.body,
  rawBody: new Uint8Array(),
  origin,
  caller: { kind: 'user', user, scopes: null, token: null },
});
