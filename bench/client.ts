/**
 * What a page loads to open sealed answers, in gzipped bytes, and how fast each suite opens them. Sizes are
 * those that a bundler makes of the published package; noble is loaded where a platform lacks the
 * algorithms and must be a chunk of its own.
 */
import { gzipSync } from 'node:zlib';
import { type OutputChunk, rolldown } from 'rolldown';
import { createId } from '../src/base/index.ts';
import {
  type AwaitableSuite,
  type HybridCryptoEnvelope,
  openEnvelope,
  sealEnvelope,
} from '../src/envelope/index.ts';
import { createNobleSuite } from '../src/envelope/noble.ts';
import { createNodeSuite } from '../src/envelope/node.ts';
import { createWebCryptoSuite } from '../src/envelope/webcrypto.ts';

const BARS = Object.freeze({ openingPath: 12 * 1024 });
const PLAINTEXT = new Uint8Array(16 * 1024).fill(0x61);
const ROUNDS = 30;

/** What a program imports, and what comes with it. */
const ENTRIES = Object.freeze({
  'opening path (sealedFetch)': 'sealedFetch',
  createClient: 'createClient',
  'keys, registration, storage and createClient':
    'generateClientKey, registerClientKey, saveClientKey, loadClientKey, createClient',
});

/** The chunks that a bundler makes of an import of `names`. */
async function bundle(names: string): Promise<readonly OutputChunk[]> {
  const ENTRY = 'virtual:entry';
  const client = new URL('../src/client/index.ts', import.meta.url).pathname;
  const build = await rolldown({
    input: ENTRY,
    platform: 'browser',
    // As `sideEffects` in package.json tells the bundlers of those who install the package.
    treeshake: { moduleSideEffects: false },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === ENTRY ? ENTRY : null),
        load: (id) => (id === ENTRY ? `export { ${names} } from ${JSON.stringify(client)};` : null),
      },
    ],
  });
  try {
    const { output } = await build.generate({ format: 'esm', minify: true });
    return output.filter((part) => part.type === 'chunk');
  } finally {
    await build.close();
  }
}

/** The entry with all that it imports statically. */
function staticallyLoaded(chunks: readonly OutputChunk[]): readonly OutputChunk[] {
  const loaded = new Set(chunks.filter((chunk) => chunk.isEntry));
  for (const { imports } of loaded) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) loaded.add(chunk);
  }
  return [...loaded];
}

const gzipped = (chunks: readonly OutputChunk[]): number =>
  chunks.reduce((size, { code }) => size + gzipSync(code, { level: 9 }).length, 0);

const holdsNoble = ({ moduleIds }: OutputChunk): boolean => moduleIds.some((id) => id.includes('@noble/'));

const SEEDS = Object.freeze({
  kem: new Uint8Array(64).fill(1),
  dsa: new Uint8Array(32).fill(2),
  mac: new Uint8Array(64).fill(3),
});

const IDS = Object.freeze({ tenant_id: createId('tenant'), recipient_key_id: createId('clientKey') });

async function sealOne(): Promise<HybridCryptoEnvelope> {
  const suite = createNodeSuite();
  const { envelope } = await sealEnvelope(suite, {
    claims: {
      ...IDS,
      purpose: 'graphql.result',
      audit_event_id: createId('auditEvent'),
      issued_at: Math.floor(Date.now() / 1000),
      content_type: 'application/graphql-response+json',
    },
    plaintext: PLAINTEXT,
    recipient: suite.importKemPrivateKey(SEEDS.kem),
    signingKey: suite.importSigningKey(SEEDS.dsa),
    macKey: suite.importMacKey(SEEDS.mac),
  });
  return envelope;
}

/** An act that opens the envelope, over keys that are imported once. */
async function createOpener(
  suite: AwaitableSuite,
  envelope: HybridCryptoEnvelope,
): Promise<() => Promise<unknown>> {
  const { kid, publicKey } = await suite.importSigningKey(SEEDS.dsa);
  const input = {
    recipient: await suite.importKemPrivateKey(SEEDS.kem),
    macKey: await suite.importMacKey(SEEDS.mac),
    trustedSigningKeys: [{ kid, publicKey, status: 'ACTIVE', notBefore: null, notAfter: null }],
    expected: IDS,
  } as const;
  return () => openEnvelope(suite, envelope, input);
}

/** Milliseconds that `act` takes, the mean over a batch. */
async function sample(act: () => Promise<unknown>, batch: number): Promise<number> {
  const start = performance.now();
  for (let count = 0; count < batch; count += 1) await act();
  return (performance.now() - start) / batch;
}

const row = (label: string, text: string): void => console.log(`  ${label.padEnd(48)}${text}`);
const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} kB`.padStart(9);

/** Prints the sizes; whether the opening path is small enough and without noble. */
async function compareSizes(): Promise<boolean> {
  console.log('Bundled for browsers, minified and gzipped');
  let met = true;
  for (const [label, names] of Object.entries(ENTRIES)) {
    const chunks = await bundle(names);
    const loaded = staticallyLoaded(chunks);
    const size = gzipped(loaded);
    row(label, kilobytes(size));
    if (names !== 'sealedFetch') continue;
    row('loaded only where the algorithms are lacking', kilobytes(gzipped(chunks) - size));
    const isSmall = size <= BARS.openingPath && !loaded.some(holdsNoble) && chunks.some(holdsNoble);
    row('bar for the opening path', `${kilobytes(BARS.openingPath)}   ${isSmall ? 'met' : 'MISSED'}`);
    met = met && isSmall;
  }
  return met;
}

/** Prints opens per second, samples of the suites taken in turn, the median of each. */
async function compareSpeeds(): Promise<void> {
  console.log(
    `\nOpening envelopes of ${PLAINTEXT.length / 1024} KiB one after another, Node ${process.version}`,
  );
  const envelope = await sealOne();
  const contenders = await Promise.all(
    [createWebCryptoSuite(), createNodeSuite(), createNobleSuite()].map(async (suite) => ({
      name: suite.name,
      batch: suite.name === 'noble' ? 4 : 20,
      open: await createOpener(suite, envelope),
      samples: [] as number[],
    })),
  );
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const { open, batch, samples } of contenders) {
      const time = await sample(open, batch);
      if (round >= 0) samples.push(time);
    }
  }
  for (const { name, samples } of contenders) {
    const median = samples.toSorted((a, b) => a - b)[samples.length >> 1] as number;
    row(`${name} suite`, `${Math.round(1000 / median)} opens/s   ${median.toFixed(3)} ms each`);
  }
}

/** Prints the numbers; whether every bar was met. */
export async function run(): Promise<boolean> {
  const met = await compareSizes();
  await compareSpeeds();
  return met;
}
