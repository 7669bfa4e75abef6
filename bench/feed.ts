/**
 * The change feed of the gateway against a plain server that pushes the same changes in the clear from memory
 * (graphql-yoga and graphql-ws by their own recipe), each in a process of its own, with raw WebSocket subscribers in
 * another. Tickets change in a simulator, whose webhooks the gateway takes in; what it spends on that, on loading,
 * sealing and logging, counts as its cost. PostgreSQL is that of the tests (SEALDESK_TEST_DATABASE_URL).
 */
import { type DeliveredChanges, type FanOuts, measureFanOut } from './feed-fan-out.ts';
import { LATENCY_PACE, measureLatency } from './feed-latency.ts';
import { measureReplay, REPLAYED, type Replay } from './feed-replay.ts';
import { openFeedRig } from './feed-rig.ts';
import { quantile } from './statistics.ts';

const BARS = Object.freeze({ sealsPerChange: 1.1, cost: 1.3, memory: 1.3, replay: 5_000 });
const BARRED_SUBSCRIBERS = 1_000;

/** Whether the bars were met. */
export async function run(): Promise<boolean> {
  await using rig = await openFeedRig();
  const fanOuts = await measureFanOut(rig);
  const cost = reportCost(fanOuts);
  const memory = reportMemory(fanOuts);
  reportLatency(await measureLatency(rig));
  const replay = reportReplay(await measureReplay(rig));
  return [cost, memory, replay].every((met) => met);
}

function reportCost({ sealed, plain }: FanOuts): boolean {
  console.log('CPU of the server for each delivered change');
  let met = true;
  for (const [index, one] of sealed.delivered.entries()) {
    const { subscribers, changes, cpuSeconds } = one;
    const other = plain.delivered[index];
    if (other === undefined) throw new TypeError('"plain" must have as many as "sealed"');
    const ratio = microsecondsOf(one) / microsecondsOf(other);
    const isBarred = subscribers === BARRED_SUBSCRIBERS;
    const seals = (one.sealed - one.positions) / changes.length;
    met &&= seals <= BARS.sealsPerChange && (!isBarred || ratio <= BARS.cost);
    const note = isBarred ? `   ${verdict(ratio <= BARS.cost, `<= ${BARS.cost} x`)}` : '';
    console.log(
      `  ${String(subscribers).padStart(5)} subscribers   sealed ${us(one)}   plain ${us(other)}   ${ratio.toFixed(2)} x${note}`,
    );
    const each = (cpuSeconds / changes.length) * 1_000;
    console.log(
      `        ${changes.length} changes, ${each.toFixed(1)} ms each in all; ${one.sealed - one.positions} seals of changes, ${one.positions} of positions   ${verdict(seals <= BARS.sealsPerChange, 'one a change')}`,
    );
  }
  return met;
}

function reportMemory({ sealed, plain }: FanOuts): boolean {
  const ratio = sealed.liveBytes / plain.liveBytes;
  const met = ratio <= BARS.memory;
  console.log('memory for each idle subscription, with a connection of its own');
  console.log(
    `  live objects        sealed ${kib(sealed.liveBytes)}   plain ${kib(plain.liveBytes)}   ${ratio.toFixed(2)} x   ${verdict(met, `<= ${BARS.memory} x`)}`,
  );
  console.log(
    `  resident            sealed ${kib(sealed.residentBytes)}   plain ${kib(plain.residentBytes)}   (with what each had to spare before)`,
  );
  return met;
}

function reportLatency(times: readonly number[]): void {
  const [half, most] = [0.5, 0.99].map((share) => quantile(times, share).toFixed(0));
  console.log(`from webhook to opened change at ${LATENCY_PACE.perSecond} changes/s`);
  console.log(`  p50 ${half} ms, p99 ${most} ms, of ${times.length} versions`);
}

function reportReplay({ changesPerSecond, cpuMicroseconds }: Replay): boolean {
  const met = changesPerSecond >= BARS.replay;
  console.log(`replay of ${REPLAYED} changes from the log to one subscriber`);
  console.log(
    `  ${changesPerSecond.toFixed(0)} changes/s, ${cpuMicroseconds.toFixed(0)} µs of the gateway's CPU each   ${verdict(met, `>= ${BARS.replay} changes/s`)}`,
  );
  return met;
}

function microsecondsOf({ cpuSeconds, changes, subscribers }: DeliveredChanges): number {
  return (cpuSeconds / (changes.length * subscribers)) * 1e6;
}

function us(delivered: DeliveredChanges): string {
  return `${microsecondsOf(delivered).toFixed(1).padStart(8)} µs`;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1).padStart(6)} KiB`;
}

function verdict(met: boolean, bar: string): string {
  return `bar ${bar}: ${met ? 'met' : 'MISSED'}`;
}
