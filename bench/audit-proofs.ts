/**
 * Proofs from a log of a million events: its leaves and the nodes above them are made by the database, a whole and
 * valid tree, and every proof that is timed is verified. The secondary indexes, which no proof reads, are left out.
 */
import { createHash } from 'node:crypto';
import {
  LOWEST_STORED_LEVEL,
  readConsistencyProof,
  readInclusionProof,
  readRoot,
  readTreeNodes,
} from '../src/audit/index.ts';
import type { Bytes } from '../src/base/index.ts';
import type { Tx } from '../src/store/index.ts';
import { createMerkleHasher, verifyConsistency, verifyInclusion } from '../src/tlog/index.ts';
import { type BenchLog, openBenchLog } from './audit-log.ts';
import { execute } from './database.ts';
import { quantile } from './statistics.ts';

export const LOG_SIZE = 1_000_000;
const PROOFS = 2_000;
const BATCH = 100_000;

export interface ProofLatency {
  /** Milliseconds, from the call to the proof, its transaction included. */
  readonly p50: number;
  readonly p99: number;
}

const hasher = createMerkleHasher((data) => Uint8Array.from(createHash('sha256').update(data).digest()));

export async function measureProofs(): Promise<{
  readonly inclusion: ProofLatency;
  readonly consistency: ProofLatency;
}> {
  await using log = await openBenchLog();
  await fill(log);
  const root = await asTenant(log, (tx) => readRoot(tx, log.tenantId, LOG_SIZE));
  return {
    inclusion: await time(() => proveInclusion(log, root)),
    consistency: await time(() => proveConsistency(log, root)),
  };
}

/** How long `prove` tells that it took, again and again. */
async function time(prove: () => Promise<number>): Promise<ProofLatency> {
  const times: number[] = [];
  for (let count = 0; count < PROOFS; count += 1) times.push(await prove());
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

async function proveInclusion(log: BenchLog, root: Bytes): Promise<number> {
  const [size, index] = [LOG_SIZE, randomBelow(LOG_SIZE)];
  const start = performance.now();
  const proof = await asTenant(log, (tx) => readInclusionProof(tx, log.tenantId, { index, size }));
  const took = performance.now() - start;
  const [leaf] = await asTenant(log, (tx) => readTreeNodes(tx, log.tenantId, [{ level: 0, index }]));
  if (leaf === undefined || !verifyInclusion(hasher, { index, size, leafHash: leaf.hash, proof, root })) {
    throw new Error('A proof of inclusion does not hold');
  }
  return took;
}

async function proveConsistency(log: BenchLog, toRoot: Bytes): Promise<number> {
  const [from, to] = [1 + randomBelow(LOG_SIZE), LOG_SIZE];
  const start = performance.now();
  const proof = await asTenant(log, (tx) => readConsistencyProof(tx, log.tenantId, { from, to }));
  const took = performance.now() - start;
  const fromRoot = await asTenant(log, (tx) => readRoot(tx, log.tenantId, from));
  if (!verifyConsistency(hasher, { from, to, fromRoot, toRoot, proof })) {
    throw new Error('A proof of consistency does not hold');
  }
  return took;
}

async function fill({ connectionString, tenantId }: BenchLog): Promise<void> {
  for (const index of ['actor', 'operation', 'integration', 'intent', 'time']) {
    await execute(connectionString, `DROP INDEX audit_events_by_${index}`);
  }
  for (let from = 0; from < LOG_SIZE; from += BATCH) {
    await execute(
      connectionString,
      `INSERT INTO audit_events (tenant_id, index, id, leaf, leaf_hash, occurred_at, actor_id, phase, action)
       SELECT $1, i, i::text, leaf, sha256('\\x00'::bytea || leaf), now(), 'bench', 'SINGLE', 'bench'
       FROM generate_series($2::int, $3::int) i, LATERAL (SELECT convert_to(rpad(i::text, 450, '-'), 'UTF8') AS leaf) l`,
      [tenantId, from, from + BATCH - 1],
    );
  }
  await execute(connectionString, 'CREATE TABLE made_nodes (level int, index bigint, hash bytea)');
  for (
    let level = 1, below = 'SELECT index, leaf_hash AS hash FROM audit_events';
    2 ** level <= LOG_SIZE;
    level += 1
  ) {
    // Grouped and not joined, so that no statistics, which a new table has not, can lead the planner astray.
    await execute(
      connectionString,
      `INSERT INTO made_nodes (level, index, hash)
       SELECT $1::int, index / 2, sha256('\\x01'::bytea || string_agg(hash, ''::bytea ORDER BY index))
       FROM (${below}) b GROUP BY index / 2 HAVING count(*) = 2`,
      [level],
    );
    below = `SELECT index, hash FROM made_nodes WHERE level = ${level}`;
  }
  await execute(
    connectionString,
    `INSERT INTO audit_nodes (tenant_id, level, index, hash)
     SELECT $1, level, index, hash FROM made_nodes WHERE level >= $2::int`,
    [tenantId, LOWEST_STORED_LEVEL],
  );
  await execute(connectionString, 'VACUUM ANALYZE audit_events, audit_nodes');
}

function asTenant<T>({ store, tenantId }: BenchLog, work: (tx: Tx) => Promise<T>): Promise<T> {
  return store.withTenant(tenantId, work);
}

function randomBelow(limit: number): number {
  return Math.floor(Math.random() * limit);
}
