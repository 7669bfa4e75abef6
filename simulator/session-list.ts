/** `/users/{id}/sessions` and `/users/logout_many`. */
import { type Call, idParam } from './call.ts';
import { type Order, pageByCursor, pageByOffset, wantsCursor } from './pagination.ts';
import { isoTime } from './people-view.ts';
import type { SessionRow, UserRow } from './records.ts';
import { empty, json, type Reply, recordNotFound } from './reply.ts';
import { listParam } from './tickets.ts';

const BY_ID: Order<SessionRow> = {
  name: 'id',
  descending: false,
  key: (row) => row.id,
  id: (row) => row.id,
};

const view = (call: Call, row: SessionRow): object => ({
  id: row.id,
  url: `${call.origin}/api/v2/users/${row.userId}/sessions/${row.id}.json`,
  user_id: row.userId,
  authenticated_at: isoTime(row.authenticatedAt),
  last_seen_at: isoTime(row.lastSeenAt),
});

const ofUser = (call: Call): UserRow => {
  const user = call.world.store.user(idParam(call));
  if (!user) throw recordNotFound();
  return user;
};

export const listSessions = (call: Call): Reply => {
  const rows = call.world.store.sessions.of(ofUser(call)).toSorted((a, b) => a.id - b.id);
  const page = wantsCursor(call.query) ? pageByCursor(call, rows, BY_ID) : pageByOffset(call, rows);
  return json(200, { sessions: page.rows.map((row) => view(call, row)), ...page.fields });
};

export const endSession = (call: Call): Reply => {
  if (!call.world.store.sessions.end(ofUser(call), idParam(call, 1))) throw recordNotFound();
  return empty(204);
};

export const endSessions = (call: Call): Reply => {
  call.world.store.sessions.endAll(ofUser(call));
  return empty(204);
};

/** Unknown ids are passed over. */
export const logoutMany = (call: Call): Reply => {
  const { store } = call.world;
  for (const id of listParam(call, 'ids')) {
    const user = store.user(Number(id));
    if (user) store.sessions.endAll(user);
  }
  return empty(202);
};
