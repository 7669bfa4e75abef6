/**
 * `GET /incremental/{tickets,users}/cursor`: every ticket's or user's newest state, deleted and scrubbed ones
 * included, in the order of (`generated_timestamp`, id). A row comes again after any later change, at its new
 * place. `GET /incremental/organizations` is the older kind, by time.
 *
 * Seconds are handed out only when they are over, and by default a minute later still: a second change within
 * one second keeps its place in the order, so that a cursor that had already passed it would never see it.
 */
import { type Call, includes } from './call.ts';
import {
  comparePositions,
  exportPage,
  newestExported,
  parseExportSize,
  parseStartTime,
} from './export-cursor.ts';
import { organizationView, userView } from './people-view.ts';
import { json, type Reply } from './reply.ts';
import { ticketsView } from './ticket-view.ts';

export const exportTickets = (call: Call): Reply => {
  const { store } = call.world;
  const withAiAgent = call.query.get('support_type_scope') === 'all';
  const withDeleted = call.query.get('exclude_deleted') !== 'true';
  return exportPage(
    call,
    store.cached('export', () => [...store.tickets].sort(comparePositions)),
    (row) => (withAiAgent || !row.aiAgent) && (withDeleted || row.deletedAt === null),
    (rows) => {
      const { tickets, sideloads } = ticketsView(call.world, rows, call.origin, includes(call));
      return { tickets, ...sideloads };
    },
  );
};

/** Deleted users come with `active: false`. */
export const exportUsers = (call: Call): Reply => {
  const { store } = call.world;
  return exportPage(
    call,
    store.cached('export:users', () => [...store.users].sort(comparePositions)),
    () => true,
    (rows) => ({ users: rows.map((user) => userView(user, call.origin)) }),
  );
};

/**
 * By time: a page ends with the second it has begun, so it may be longer than asked for, and the next one
 * begins with that second again.
 */
export const exportOrganizations = (call: Call): Reply => {
  const startTime = parseStartTime(call);
  const size = parseExportSize(call);
  const newest = newestExported(call);
  const second = (row: { readonly updatedAt: number }): number => Math.floor(row.updatedAt / 1000);
  const rows = call.world.store.organizations
    .filter((row) => second(row) >= startTime && second(row) <= newest)
    .sort((a, b) => a.updatedAt - b.updatedAt || a.id - b.id);
  const last = rows[Math.min(size, rows.length) - 1];
  const endTime = last ? second(last) : startTime;
  const page = rows.filter((row) => second(row) <= endTime);
  const next = new URLSearchParams({ start_time: String(endTime), per_page: String(size) });
  return json(200, {
    organizations: page.map((row) => organizationView(row, call.origin)),
    count: page.length,
    end_time: endTime,
    next_page: `${call.origin}${call.path}.json?${next.toString()}`,
    end_of_stream: page.length === rows.length,
  });
};
