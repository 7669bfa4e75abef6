/**
 * Hints between processes: LISTEN and NOTIFY, on either database. A notification says that something may
 * have changed, never what: it can be lost, so whoever waits for one also looks by itself now and then.
 */
import type { PGlite } from '@electric-sql/pglite';
import { sql, type Transaction } from 'kysely';
import pg from 'pg';
import { type Log, systemClock } from '../base/index.ts';
import type { Tables } from './tables.ts';

/** The closed list of what is told, each with an id as its payload. */
export const CHANNELS = Object.freeze({
  /** A ticket was marked as changed; the integration. */
  marked: 'sealdesk_feed_marked',
  /** Entries were appended; the integration. */
  appended: 'sealdesk_feed_appended',
  /** Somebody's rights may have been taken back; the tenant. */
  rights: 'sealdesk_rights_changed',
  /** Events were appended to an audit log that somebody follows; the tenant. */
  audited: 'sealdesk_audit_appended',
  /** An export of an audit log was asked for; the tenant. */
  exports: 'sealdesk_audit_export_wanted',
  /** An access sync was asked for, or came further; the run. */
  syncs: 'sealdesk_access_sync',
  /** The gateway's own keys of a tenant were changed; the tenant. */
  keys: 'sealdesk_keys_changed',
  /** A token of a connection was stored, or the turn to fetch one given back; the credential. */
  tokens: 'sealdesk_tokens_changed',
} as const);
export type Channel = keyof typeof CHANNELS;

/** `id` is `null` where notifications may have been missed: after the connection was lost. */
export type OnNotification = (channel: Channel, id: string | null) => void;

const NAMES = Object.keys(CHANNELS) as Channel[];
const RECONNECT_MS = { least: 200, most: 10_000 } as const;
const CONNECT_TIMEOUT_MS = 5_000;
/** An unused connection may be cut by something on the way; asking it something shows that. */
const KEEP_ALIVE_MS = 15_000;

/** Tells the other processes, and this one, once the transaction is committed. */
export async function notify(tx: Transaction<Tables>, channel: Channel, id: string): Promise<void> {
  await sql`SELECT pg_notify(${CHANNELS[channel]}, ${id})`.execute(tx);
}

/** Listens in this process, the only one that a PGlite has. */
export async function listenOnPGlite(
  pglite: PGlite,
  onNotification: OnNotification,
): Promise<AsyncDisposable> {
  const stops = await Promise.all(
    NAMES.map((channel) => pglite.listen(CHANNELS[channel], (id) => onNotification(channel, id))),
  );
  return {
    async [Symbol.asyncDispose]() {
      // A closed database listens no more, and says so.
      await Promise.all(stops.map((stop) => stop().catch(() => undefined)));
    },
  };
}

/** Listens over a connection of its own, which is made anew for as long as it is wanted. */
export function listenOnPostgres(
  connectionString: string,
  onNotification: OnNotification,
  log: Log,
): AsyncDisposable {
  const stopped = new AbortController();
  const running = listenUntil(connectionString, onNotification, log, stopped.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await running;
    },
  };
}

async function listenUntil(
  connectionString: string,
  onNotification: OnNotification,
  log: Log,
  stopped: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!stopped.aborted) {
    try {
      await listenOnce(connectionString, onNotification, stopped, () => {
        failures = 0;
      });
    } catch (error) {
      failures += 1;
      log.warn('The connection for notifications was lost', {
        error: error instanceof Error ? error : undefined,
      });
    }
    const pause = Math.min(RECONNECT_MS.most, RECONNECT_MS.least * 2 ** Math.max(0, failures - 1));
    await systemClock.wait(pause, stopped).catch(() => undefined);
  }
}

/** Rejects when the connection is lost; resolves when `stopped` is aborted. */
async function listenOnce(
  connectionString: string,
  onNotification: OnNotification,
  stopped: AbortSignal,
  onListening: () => void,
): Promise<void> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    application_name: 'sealdesk notifications',
  });
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  over.catch(() => undefined);
  client.on('error', reject);
  client.on('end', () => reject(new Error('The server ended the connection')));
  client.on('notification', ({ channel: name, payload }) => {
    const channel = NAMES.find((one) => CHANNELS[one] === name);
    if (channel !== undefined) onNotification(channel, payload ?? null);
  });
  const stop = (): void => resolve();
  stopped.addEventListener('abort', stop, { once: true });
  let probe: NodeJS.Timeout | undefined;
  try {
    await client.connect();
    for (const channel of NAMES) await client.query(`LISTEN ${CHANNELS[channel]}`);
    onListening();
    for (const channel of NAMES) onNotification(channel, null);
    probe = setInterval(() => void client.query('SELECT 1').catch(reject), KEEP_ALIVE_MS);
    if (stopped.aborted) resolve();
    await over;
  } finally {
    clearInterval(probe);
    stopped.removeEventListener('abort', stop);
    await client.end().catch(() => undefined);
  }
}
