/** A simulator in a process of its own, with rate limits out of reach, for benchmarks: prints its address, ends with its parent. */
import { openSimulator } from '../simulator/index.ts';

const UNLIMITED = 1_000_000;

const simulator = await openSimulator({
  tickets: 600,
  accountLimit: UNLIMITED,
  endpointLimits: { 'tickets-index': UNLIMITED, 'search-index': UNLIMITED },
});
process.stdout.write(`${simulator.url}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));
