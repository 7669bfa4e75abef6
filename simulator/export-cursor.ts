/**
 * Places in the incremental exports by cursor: rows in the order of (`generated_timestamp`, id), and cursors
 * that name the last row handed out.
 */
import type { Call } from './call.ts';
import { coded, invalidAttribute, json, Refusal, type Reply } from './reply.ts';

const MAX_EXPORT_PAGE = 1000;

/** The last row handed out; the next page begins behind it. */
export interface ExportPosition {
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

/** `start_time` in Unix seconds. Throws Refusal 400 when it is none, 422 when it is too young. */
export const parseStartTime = (call: Call): number => {
  const { clock, exportLagSeconds } = call.world;
  const text = call.query.get('start_time') ?? '';
  if (!/^\d{1,12}$/.test(text)) throw invalidValue(400, 'Invalid start_time');
  const startTime = Number(text);
  if (startTime > Math.floor(clock.now() / 1000) - exportLagSeconds) {
    throw invalidValue(422, 'Too recent start_time. Use a start_time older than 5 minutes');
  }
  return startTime;
};

export const parseExportSize = (call: Call): number => {
  const text = call.query.get('per_page') ?? String(MAX_EXPORT_PAGE);
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw invalidAttribute('per_page', 'must be an integer', call.path.slice(8));
  }
  return Math.min(MAX_EXPORT_PAGE, Number(text));
};

/** The newest second that is handed out. */
export const newestExported = (call: Call): number =>
  Math.floor(call.world.clock.now() / 1000) - Math.max(1, call.world.exportLagSeconds);

export const comparePositions = (a: ExportPosition, b: ExportPosition): number =>
  a.generatedAt - b.generatedAt || a.id - b.id;

/** The first index behind `position`. */
const indexBehind = (rows: readonly ExportPosition[], position: ExportPosition): number => {
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

/**
 * Answers a call of an export. `sorted` is in the order of the positions; `shown` leaves rows out; `view` makes
 * the answer's lists of the page's rows.
 */
export const exportPage = <T extends ExportPosition>(
  call: Call,
  sorted: readonly T[],
  shown: (row: T) => boolean,
  view: (rows: readonly T[]) => Record<string, unknown>,
): Reply => {
  const cursor = call.query.get('cursor');
  // `start_time` stands before every row of its second.
  const position = cursor === null ? { generatedAt: parseStartTime(call), id: 0 } : parseExportCursor(cursor);
  const size = parseExportSize(call);
  const newest = newestExported(call);
  const rows: T[] = [];
  let more = false;
  for (let index = indexBehind(sorted, position); index < sorted.length; index += 1) {
    const row = sorted[index];
    if (!row || row.generatedAt > newest) break;
    if (!shown(row)) continue;
    if (rows.length === size) {
      more = true;
      break;
    }
    rows.push(row);
  }
  const after = encodeExportCursor(rows.at(-1) ?? position);
  const next = new URLSearchParams(call.query);
  next.delete('start_time');
  next.set('cursor', after);
  return json(200, {
    ...view(rows),
    after_url: `${call.origin}${call.path}.json?${next.toString()}`,
    after_cursor: after,
    before_url: null,
    before_cursor: null,
    end_of_stream: !more,
  });
};
