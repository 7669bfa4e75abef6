/**
 * Statements that are prepared once on each connection to PostgreSQL, parsed and planned then only. A statement says
 * its name in its first line, which is a comment elsewhere.
 */
import { CompiledQuery, type Transaction } from 'kysely';
import pg from 'pg';
import type { Tables } from './tables.ts';

/** What a parameter is sent as: text as the database reads it, or the bytes of a `bytea`. */
export type StatementValue = string | Buffer | null;

export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Whether it answers rows; an INSERT, UPDATE or DELETE without RETURNING does not, and tells how many it wrote. */
  readonly hasRows: boolean;
}

/** A statement and its parameters. */
export type Step = readonly [statement: Statement, values: readonly StatementValue[]];

export interface StatementAnswer<Row> {
  readonly rows: readonly Row[];
  /** Those rows, or the rows that were written where it answers none. */
  readonly count: number;
}

const NAMED = /^\/\* prepared: ([a-z_]{1,50}) \*\/\n/;

/** A statement to be prepared; one name stands for one text. Throws TypeError for a name other than of a-z and _, 50 at most. */
export function createStatement(name: string, text: string, { hasRows = true } = {}): Statement {
  const named = `/* prepared: ${name} */\n${text}`;
  if (!NAMED.test(named)) throw new TypeError(`"name" must match [a-z_]{1,50}, got ${JSON.stringify(name)}`);
  return Object.freeze({ name, text: named, hasRows });
}

/** Runs the steps within `tx`, one after the other. Resolves to the answer of the last. */
export async function runSteps<Row>(
  tx: Transaction<Tables>,
  steps: readonly Step[],
): Promise<StatementAnswer<Row>> {
  let answer: StatementAnswer<Row> = { rows: [], count: 0 };
  for (const [{ text, hasRows }, values] of steps) {
    const { rows, numAffectedRows } = await tx.executeQuery<Row>(CompiledQuery.raw(text, [...values]));
    answer = { rows, count: hasRows ? rows.length : Number(numAffectedRows ?? 0) };
  }
  return answer;
}

/**
 * An array of SQL from texts that hold neither quotation marks nor backslashes; without the NULLs at its end, which
 * `unnest` gives beside a longer array, so that the longest must not end in one.
 */
export function arrayOf(texts: readonly (string | number | null)[]): string {
  let written = '';
  let nulls = '';
  for (const text of texts) {
    if (text === null) nulls += ',NULL';
    else {
      written += `${nulls},"${text}"`;
      nulls = '';
    }
  }
  return `{${written.slice(1)}}`;
}

/**
 * A connection that prepares what names itself, and sends what is asked without waiting for the answer before
 * (pipelining).
 */
export class StatementClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super({ ...config, pipeline: true });
  }

  override query(...parameters: readonly unknown[]): never {
    const [text, values, ...rest] = parameters;
    const name = typeof text === 'string' ? NAMED.exec(text)?.[1] : undefined;
    const asked = name === undefined ? parameters : [{ name, text, values }, ...rest];
    return Reflect.apply(pg.Client.prototype.query, this, asked) as never;
  }
}
