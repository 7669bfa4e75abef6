/**
 * `npm run bench -- NAME`: runs one benchmark and prints its numbers. A benchmark compares ratios
 * within one run, so that its bars hold on any machine; it exits with 1 where a bar is missed.
 */
interface Benchmark {
  readonly about: string;
  /** Whether every bar was met. */
  readonly run: () => Promise<boolean>;
}

const BENCHMARKS: ReadonlyMap<string, Benchmark> = new Map([
  [
    'audit',
    {
      about:
        'appends to the audit log for 1 to 256 callers, against plain rows; proofs at a million events; verifying a bundle',
      run: async () => (await import('./audit.ts')).run(),
    },
  ],
  [
    'budget',
    {
      about: 'four processes sharing the request budget of one account, for a quarter of an hour',
      run: async () => (await import('./budget.ts')).run(),
    },
  ],
  [
    'bundle',
    {
      about: 'verifying an exported part of the audit log, against only reading and hashing it',
      run: async () => (await import('./audit-bundle.ts')).run(),
    },
  ],
  [
    'client',
    {
      about: 'what a page loads to open sealed answers, and how fast each suite opens them',
      run: async () => (await import('./client.ts')).run(),
    },
  ],
  [
    'feed',
    {
      about:
        'the change feed for 1 to 1 000 subscribers, against a plain server that pushes the same from memory',
      run: async () => (await import('./feed.ts')).run(),
    },
  ],
  [
    'graph',
    {
      about:
        'a page of 100 tickets with its people: Zendesk calls and latency, against REST by hand and one call per reference',
      run: async () => (await import('./graph.ts')).run(),
    },
  ],
  [
    'sync',
    {
      about:
        'a directory of 100 000 users: its sync, memory, size and look-ups, against the same in plaintext',
      run: async () => (await import('./sync.ts')).run(),
    },
  ],
  [
    'seal',
    {
      about: 'sealing and opening envelopes, against bare primitives and the portable suite',
      run: async () => (await import('./seal.ts')).run(),
    },
  ],
]);

const [name, ...rest] = process.argv.slice(2);
const benchmark = name === undefined || rest.length > 0 ? undefined : BENCHMARKS.get(name);
if (benchmark !== undefined) {
  process.exitCode = (await benchmark.run()) ? 0 : 1;
} else {
  console.log('npm run bench -- NAME, where NAME is one of:');
  for (const [known, { about }] of BENCHMARKS) console.log(`  ${known.padEnd(8)} ${about}`);
  process.exitCode = name === undefined || name === '--help' || name === '-h' ? 0 : 2;
}
