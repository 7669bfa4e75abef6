/**
 * The audit log: what recording costs its callers, against rows that nothing is proven of, how long a proof from a
 * long log takes, and how fast a bundle is verified. PostgreSQL is that of the tests (SEALDESK_TEST_DATABASE_URL).
 */
import { type AppendRates, measureAppends } from './audit-appends.ts';
import { measureVerification } from './audit-bundle.ts';
import { LOG_SIZE, measureProofs, type ProofLatency } from './audit-proofs.ts';

/** Of the rate of plain inserts, by the number of callers. */
const BARS: ReadonlyMap<number, number> = new Map([
  [1, 0.7],
  [256, 5],
]);

/** Whether the bars were met. */
export async function run(): Promise<boolean> {
  console.log('appends a second, each caller waiting for one before the next');
  const met = (await measureAppends()).map(report);
  console.log(`proofs from a log of ${LOG_SIZE} events`);
  const { inclusion, consistency } = await measureProofs();
  reportProofs('inclusion', inclusion);
  reportProofs('consistency', consistency);
  const { events, verified, read } = await measureVerification();
  console.log(`verifying a bundle of ${events} events, its program's start included`);
  console.log(`  ${rate(verified)}   only read and hashed ${rate(read)}   ${(verified / read).toFixed(2)} x`);
  return met.every((one) => one);
}

function report({ callers, log, plain, bare, ratio, bareRatio, excessUs, sittings }: AppendRates): boolean {
  const bar = BARS.get(callers);
  const isMet = bar === undefined || ratio >= bar;
  const [lowest, highest] = [Math.min(...sittings), Math.max(...sittings)];
  const range = `(sittings ${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
  const verdict = bar === undefined ? '' : `   bar >= ${bar} x: ${isMet ? 'met' : 'MISSED'}`;
  console.log(
    `  ${String(callers).padStart(3)} callers   log ${rate(log)}   plain rows ${rate(plain)}   ${ratio.toFixed(2)} x ${range}${verdict}`,
  );
  console.log(
    `                                 with a primary key only ${rate(bare)}   ${bareRatio.toFixed(2)} x`,
  );
  const difference = `${Math.abs(excessUs).toFixed(0)} us ${excessUs < 0 ? 'less' : 'more'}`;
  console.log(`                                 an append takes ${difference} than a plain row`);
  return isMet;
}

function reportProofs(kind: string, { p50, p99 }: ProofLatency): void {
  console.log(`  ${kind.padEnd(12)}p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
}

function rate(perSecond: number): string {
  return `${perSecond.toFixed(0).padStart(6)}/s`;
}
