/** The feed as its rows in the database tell, seen from beside: nobody's process is asked. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** Between two looks. */
const LOOK_MS = 25;
/** No ticket of the data has an id beyond. */
const FIRST_CROWDED = 10_000_000_000;

export interface LeaseRow {
  readonly epoch: number;
  readonly holder: string | null;
  /** By the database's clock. */
  readonly isOver: boolean;
  /** Milliseconds since 1970 by that clock; 0 where nobody holds it. */
  readonly until: number;
}

export interface FeedRow {
  /** Tickets that are marked. */
  readonly marks: number;
  readonly appended: number;
  readonly repaired: number;
  readonly invocations: number;
}

export class FeedRows implements AsyncDisposable {
  readonly #pool: pg.Pool;

  constructor(connectionString: string) {
    this.#pool = new pg.Pool({ connectionString, max: 2, connectionTimeoutMillis: 5_000 });
    // A restarted server is a connection lost; the next query has another.
    this.#pool.on('error', () => undefined);
  }

  async lease(): Promise<LeaseRow> {
    return this.#one(`SELECT lease_epoch::int AS epoch, lease_holder AS holder,
      coalesce(lease_until <= clock_timestamp(), true) AS "isOver",
      coalesce(extract(epoch FROM lease_until) * 1000, 0)::float8 AS until FROM feed_heads`);
  }

  /** Milliseconds since 1970 by the database's clock. */
  async now(): Promise<number> {
    const { now } = await this.#one<{ now: number }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
    );
    return now;
  }

  async feed(): Promise<FeedRow> {
    return this.#one(`SELECT (SELECT count(*) FROM feed_dirty_tickets)::int AS marks, appended::int,
      repaired::int, (SELECT count(*) FROM feed_webhook_invocations)::int AS invocations FROM ticket_feeds`);
  }

  /** Whether a webhook's call was taken in. */
  async hasInvocation(invocationId: string): Promise<boolean> {
    const { rows } = await this.#pool.query(
      'SELECT 1 FROM feed_webhook_invocations WHERE invocation_id = $1',
      [invocationId],
    );
    return rows.length > 0;
  }

  /** Lets all signing keys be a day older. */
  async ageSigningKeys(): Promise<void> {
    await this.#pool.query(`UPDATE signing_keys SET not_before = not_before - interval '1 day'`);
  }

  /** Marks so many tickets, none of which is due today, until disposed. */
  async crowdMarks(count: number): Promise<AsyncDisposable> {
    await this.#pool.query(
      `INSERT INTO feed_dirty_tickets
         (integration_id, tenant_id, ticket_id, marked_at, by_webhook, by_export, not_before)
       SELECT integration_id, tenant_id, $1::bigint + n, now(), true, false, now() + interval '1 day'
       FROM ticket_feeds, generate_series(1, $2::int) n`,
      [FIRST_CROWDED, count],
    );
    return {
      [Symbol.asyncDispose]: async () => {
        await this.#pool.query('DELETE FROM feed_dirty_tickets WHERE ticket_id > $1', [FIRST_CROWDED]);
      },
    };
  }

  /** The first reading that is `wanted`; a database that is away is asked again. Rejects when `signal` is aborted. */
  async until<Row>(
    read: (rows: this) => Promise<Row>,
    wanted: (row: Row) => boolean,
    signal: AbortSignal,
  ): Promise<Row> {
    for (;;) {
      const row = await read(this).catch(() => null);
      if (row !== null && wanted(row)) return row;
      if (signal.aborted) throw new Error(`Never came about: ${wanted}; last ${JSON.stringify(row)}`);
      await pause(LOOK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }

  async #one<Row>(text: string): Promise<Row> {
    const { rows } = await this.#pool.query(text);
    const [row] = rows;
    if (row === undefined) throw new Error('There is no feed');
    return row;
  }
}
