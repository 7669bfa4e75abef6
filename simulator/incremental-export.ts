/**
 * `GET /incremental/tickets/cursor`: every ticket's newest state, deleted and scrubbed ones included, in the
 * order of (`generated_timestamp`, id). A ticket comes again after any later change, at its new place.
 *
 * Seconds are handed out only when they are over, and by default a minute later still: a second change within
 * one second keeps its place in the order, so that a cursor that had already passed it would never see it.
 */
import { type Call, includes } from './call.ts';
import type { TicketRow } from './records.ts';
import { coded, invalidAttribute, json, Refusal, type Reply } from './reply.ts';
import { ticketsView } from './ticket-view.ts';

const MAX_EXPORT_PAGE = 1000;

/** The last row handed out; the next page begins behind it. */
interface ExportPosition {
  /** Unix seconds. */
  readonly generatedAt: number;
  readonly id: number;
}

const encodeExportCursor = ({ generatedAt, id }: ExportPosition): string =>
  Buffer.from(`${generatedAt}.0||${id}|`).toString('base64');

const invalidValue = (status: 400 | 422, description: string): Refusal =>
  new Refusal(coded(status, 'InvalidValue', description));

const parseExportCursor = (text: string): ExportPosition => {
  const match = /^(\d{1,12})\.0\|\|(\d{1,15})\|$/.exec(Buffer.from(text, 'base64').toString('utf8'));
  if (!match) throw invalidValue(400, 'Invalid cursor');
  return { generatedAt: Number(match[1]), id: Number(match[2]) };
};

/** `start_time` stands before every row of its second. */
const parseStartTime = (call: Call): ExportPosition => {
  const { clock, exportLagSeconds } = call.world;
  const text = call.query.get('start_time') ?? '';
  if (!/^\d{1,12}$/.test(text)) throw invalidValue(400, 'Invalid start_time');
  const startTime = Number(text);
  if (startTime > Math.floor(clock.now() / 1000) - exportLagSeconds) {
    throw invalidValue(422, 'Too recent start_time. Use a start_time older than 5 minutes');
  }
  return { generatedAt: startTime, id: 0 };
};

const parsePageSize = (call: Call): number => {
  const text = call.query.get('per_page') ?? String(MAX_EXPORT_PAGE);
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw invalidAttribute('per_page', 'must be an integer', 'incremental/tickets/cursor');
  }
  return Math.min(MAX_EXPORT_PAGE, Number(text));
};

const comparePositions = (a: ExportPosition, b: ExportPosition): number =>
  a.generatedAt - b.generatedAt || a.id - b.id;

/** The first index behind `position`. */
const indexBehind = (rows: readonly TicketRow[], position: ExportPosition): number => {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = rows[middle];
    if (row && comparePositions(row, position) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
};

export const exportTickets = (call: Call): Reply => {
  const { store, clock, exportLagSeconds } = call.world;
  const cursor = call.query.get('cursor');
  const position = cursor === null ? parseStartTime(call) : parseExportCursor(cursor);
  const size = parsePageSize(call);
  const withAiAgent = call.query.get('support_type_scope') === 'all';
  const withDeleted = call.query.get('exclude_deleted') !== 'true';
  const newest = Math.floor(clock.now() / 1000) - Math.max(1, exportLagSeconds);
  const sorted = store.cached('export', () => [...store.tickets].sort(comparePositions));
  const rest = sorted
    .slice(indexBehind(sorted, position))
    .filter(
      (row) =>
        row.generatedAt <= newest && (withAiAgent || !row.aiAgent) && (withDeleted || row.deletedAt === null),
    );
  const rows = rest.slice(0, size);
  const after = encodeExportCursor(rows.at(-1) ?? position);
  const next = new URLSearchParams(call.query);
  next.delete('start_time');
  next.set('cursor', after);
  const { tickets, sideloads } = ticketsView(call.world, rows, call.origin, includes(call));
  return json(200, {
    tickets,
    ...sideloads,
    after_url: `${call.origin}${call.path}.json?${next.toString()}`,
    after_cursor: after,
    before_url: null,
    before_cursor: null,
    end_of_stream: rest.length <= size,
  });
};
