/**
 * The export of a held feed: reads Zendesk's cursor export, page by page, and marks the tickets whose version
 * there is newer than the one that is known. What webhooks lost, reordered or never told is found here.
 *
 * The place in the export moves on in the transaction that sets the marks. A place that Zendesk refuses is given
 * up for a time before it: what comes twice is known already. Only where no earlier time is taken either, several
 * times over, may versions be missing, and the streams are told so by a GAP.
 */
import type { JsonObject } from '../../base/index.ts';
import { isSealdeskError } from '../../base/index.ts';
import {
  advanceExport,
  type Feed,
  hasMarks,
  type KnownTicket,
  LeaseLostError,
  markTickets,
  type NewMark,
  orderOf,
  readFeed,
  readTicket,
  readVersions,
} from '../../feed/index.ts';
import { type ExportPage, isPlaceRefused, isTooLarge } from '../../proxy/index.ts';
import type { Tx } from '../../store/index.ts';
import type { FeedWork } from './feed-work.ts';
import { contentOf, isScrubbed } from './judge-tickets.ts';
import type { Slots } from './slots.ts';

/** Tickets of a page: a thousand long ones would be more than the gateway reads, and minutes' work. */
const PAGE_SIZES = { first: 500, least: 10 } as const;
/** Marks that may wait before the export is read on: webhooks come first. */
const MAX_WAITING_MARKS = 20_000;
/** How long before the last known place a new beginning lies. */
const MARGIN_SECONDS = 300;
/** A beginning younger than this is refused for its youth, and taken later. */
const YOUNG_SECONDS = 600;
/** How often in a row a beginning is refused before it is given up. */
const MAX_REFUSALS = 3;

/** How one reading ended: there is MORE to be read, the feed is CURRENT, or the beginning was REFUSED. */
type Reading = 'MORE' | 'CURRENT' | 'REFUSED';

/** Reads until `signal` is aborted. Rejects with {@link LeaseLostError}, and with what nobody foresaw. */
export async function runExport(work: FeedWork, slots: Slots, signal: AbortSignal): Promise<void> {
  const { clock, times } = work;
  let size: number = PAGE_SIZES.first;
  let failures = 0;
  let refusals = 0;
  while (!signal.aborted) {
    await work.mayWork(signal);
    let pause: number;
    try {
      const reading = await slots.use(
        work.key.tenantId,
        () => readPage(work, size, refusals, signal),
        signal,
      );
      failures = 0;
      refusals = reading === 'REFUSED' ? refusals + 1 : 0;
      await work.noteFault('export', null);
      pause = reading === 'MORE' ? 0 : work.jittered(times.export);
    } catch (error) {
      if (error instanceof LeaseLostError) throw error;
      if (signal.aborted) return;
      if (isTooLarge(error) && size > PAGE_SIZES.least) {
        size = Math.max(PAGE_SIZES.least, Math.floor(size / 2));
        continue;
      }
      await work.noteFailure('export', error);
      pause = isSealdeskError(error, 'UPSTREAM_FORBIDDEN')
        ? work.jittered(times.forbidden)
        : work.backOff(failures, error);
      failures += 1;
    }
    await clock.wait(pause, signal).catch(() => undefined);
  }
}

/** Reads the next page. `refusals` in a row came before. */
async function readPage(
  work: FeedWork,
  size: number,
  refusals: number,
  signal: AbortSignal,
): Promise<Reading> {
  const { clock, key, source } = work;
  const { feed, isFull } = await work.read(async (tx) => ({
    feed: await readFeed(tx, key),
    isFull: await hasMarks(tx, key.integrationId, MAX_WAITING_MARKS),
  }));
  if (feed === null) throw new LeaseLostError(key.integrationId);
  if (isFull) return 'CURRENT';
  const askedAt = clock.now();
  let page: ExportPage;
  try {
    const { exportCursor: cursor, exportStart: startTime } = feed;
    page = await source.exportPage(cursor === null ? { startTime } : { cursor }, size, signal);
  } catch (error) {
    if (!isPlaceRefused(error)) throw error;
    return beginAnew(work, feed, refusals);
  }
  const marks = await newerThanKnown(work, page.tickets);
  const polledAt = new Date(clock.now());
  const completeUntil = completeUntilOf(work, page, askedAt);
  await work.write(async (tx) => {
    await markTickets(tx, key, 'EXPORT', marks);
    await advanceExport(tx, key.integrationId, { cursor: page.cursor, polledAt, completeUntil });
  });
  if (marks.length > 0) work.marked.wake();
  return page.isLast ? 'CURRENT' : 'MORE';
}

async function newerThanKnown(work: FeedWork, records: readonly JsonObject[]): Promise<readonly NewMark[]> {
  const byId = new Map(records.map((record) => [record['id'] as number, record]));
  const known = await work.read((tx: Tx) => readVersions(tx, work.key.integrationId, [...byId.keys()]));
  const hash = await work.hasher();
  return [...byId].flatMap(([id, record]) => markOf(id, record, known.get(id) ?? null, hash) ?? []);
}

/** The mark that a row leads to; `null` where the feed knows as much already. */
function markOf(
  ticketId: number,
  record: JsonObject,
  known: KnownTicket | null,
  hash: (content: string) => string,
): NewMark | null {
  const read = readTicket(record);
  if (record['status'] === 'deleted') {
    const gone = isScrubbed(record) ? 'ERASED' : 'DELETED';
    const isTold = known?.state === 'ERASED' || known?.state === gone;
    if (isTold) return null;
    return { ticketId, gone, expectedAt: read?.updatedAt ?? null, exportedAt: read?.generatedAt ?? null };
  }
  if (read === null) return { ticketId, gone: null, expectedAt: null, exportedAt: null };
  const { updatedAt, generatedAt } = read;
  const order = orderOf(known, { updatedAt, generatedAt, hash: hash(contentOf(read)) });
  return order === 'NEWER' ? { ticketId, gone: null, expectedAt: updatedAt, exportedAt: generatedAt } : null;
}

/**
 * Before which every change has been read: of the last page, a minute before Zendesk was asked, by whichever clock
 * is behind, and with a second for what its clock rounds; of others, the second of the last row, since rows come
 * in that order.
 */
function completeUntilOf(work: FeedWork, page: ExportPage, askedAt: number): Date | null {
  const { clock, times } = work;
  const served = page.servedAt === null ? askedAt : page.servedAt - (clock.now() - askedAt);
  const latest = Math.min(askedAt, served) - times.exportLag - 1_000;
  if (page.isLast) return new Date(latest);
  const generated = page.tickets.at(-1)?.['generated_timestamp'];
  return typeof generated === 'number' ? new Date(Math.min(latest, generated * 1_000)) : null;
}

/** Zendesk refused the place, after `refusals` others: another is taken. */
async function beginAnew(work: FeedWork, feed: Feed, refusals: number): Promise<Reading> {
  const { clock, key, log } = work;
  const now = clock.now();
  const polledAt = new Date(now);
  const { integrationId } = key;
  if (feed.exportCursor !== null) {
    const since = feed.exportCompleteUntil ?? new Date(feed.exportStart * 1_000);
    const start = Math.floor(since.getTime() / 1_000) - MARGIN_SECONDS;
    log.warn('Zendesk refused the place in its export; it is read again from before', { integrationId });
    await work.write((tx) =>
      advanceExport(tx, integrationId, { cursor: null, start, polledAt, completeUntil: null }),
    );
    return 'MORE';
  }
  // Zendesk takes no time of its newest minute, and its clock may be behind.
  if (now - feed.exportStart * 1_000 < YOUNG_SECONDS * 1_000) return 'CURRENT';
  if (refusals + 1 < MAX_REFUSALS) return 'REFUSED';
  log.warn('Zendesk refused the beginning of its export; changes may be missing', { integrationId });
  const start = Math.floor((now - work.times.exportLag) / 1_000) - 1;
  await work.append([{ content: { v: 1, kind: 'GAP', reason: 'SOURCE_RESTARTED' } }], (tx) =>
    advanceExport(tx, integrationId, { cursor: null, start, polledAt, completeUntil: null }),
  );
  return 'CURRENT';
}
