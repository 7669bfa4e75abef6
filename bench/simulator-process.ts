/**
 * A simulator in a process of its own, with rate limits out of reach, for benchmarks: prints its address, ends with
 * its parent. Takes more of its options as JSON.
 */
import { openSimulator, type SimulatorOptions } from '../simulator/index.ts';

const UNLIMITED = 1_000_000;
const more = JSON.parse(process.argv[2] ?? '{}') as SimulatorOptions;

const simulator = await openSimulator({
  tickets: 600,
  accountLimit: UNLIMITED,
  endpointLimits: { 'tickets-index': UNLIMITED, 'search-index': UNLIMITED },
  ...more,
});
process.stdout.write(`${simulator.url}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
