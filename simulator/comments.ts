/** `GET /tickets/{id}/comments`: cursor or offset paginated, sorted by creation, with `include=users`. */
import { type Call, idParam, includes } from './call.ts';
import {
  compareRows,
  invalidSort,
  type Order,
  pageByCursor,
  pageByOffset,
  wantsCursor,
} from './pagination.ts';
import { sideLoadedUser } from './people-view.ts';
import type { CommentRow } from './records.ts';
import { json, type Reply, recordNotFound } from './reply.ts';
import { commentView } from './ticket-view.ts';

const orderOf = (descending: boolean): Order<CommentRow> => ({
  name: 'created_at',
  descending,
  key: (row) => row.createdAt,
  id: (row) => row.id,
});

export const listComments = (call: Call): Reply => {
  const { store } = call.world;
  const ticket = store.ticket(idParam(call));
  if (!ticket) throw recordNotFound();
  const cursor = wantsCursor(call.query);
  const sort = call.query.get('sort') ?? 'created_at';
  if (cursor && sort !== 'created_at' && sort !== '-created_at') throw invalidSort();
  const descending = cursor
    ? sort.startsWith('-')
    : call.query.get('sort_order') === 'desc' || sort.startsWith('-');
  const order = orderOf(descending);
  const sorted = [...store.comments(ticket)].sort(compareRows(order));
  const page = cursor ? pageByCursor(call, sorted, order) : pageByOffset(call, sorted);
  const authors = [...new Set(page.rows.map((row) => row.authorId))]
    .map((id) => store.user(id))
    .filter((user) => user !== null);
  return json(200, {
    comments: page.rows.map(commentView),
    ...(includes(call).has('users')
      ? { users: authors.map((user) => sideLoadedUser(user, call.origin, call.world.sideLoads)) }
      : {}),
    ...page.fields,
  });
};
