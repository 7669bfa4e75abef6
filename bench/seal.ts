/**
 * Sealing and opening, measured as ratios within one run. Samples of what is compared are taken in
 * turn, so that a slower moment of the machine meets both; each sample is the mean over a batch,
 * since ML-DSA signs by rejection and single signatures vary threefold; the median of samples counts.
 */
import {
  createCipheriv,
  createHmac,
  createSecretKey,
  encapsulate,
  generateKeyPairSync,
  sign,
} from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createId, systemClock } from '../src/base/index.ts';
import {
  encodeTranscript,
  type HybridCryptoEnvelope,
  type OpenEnvelopeInput,
  openEnvelope,
  parseEnvelope,
  type SealEnvelopeInput,
  type Suite,
  sealEnvelope,
} from '../src/envelope/index.ts';
import { createNobleSuite } from '../src/envelope/noble.ts';
import { createNodeSuite } from '../src/envelope/node.ts';
import { median } from './statistics.ts';

const BARS = Object.freeze({ bare: 0.85, portable: 6 });
const SIZES = Object.freeze([1024, 16 * 1024, 256 * 1024]);
const AT_ONCE = 200;

type Act = () => Promise<unknown>;

interface Contender {
  readonly act: Act;
  readonly batch: number;
}

async function sample({ act, batch }: Contender): Promise<number> {
  const start = performance.now();
  for (let count = 0; count < batch; count += 1) await act();
  return (performance.now() - start) / batch;
}

/** Median milliseconds per act of each contender, samples taken in turn, the first rounds thrown away. */
async function compare(contenders: readonly Contender[], rounds: number): Promise<readonly number[]> {
  const WARM_UP = 3;
  const samples = contenders.map((): number[] => []);
  for (let round = -WARM_UP; round < rounds; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const time = await sample(contender);
      if (round >= 0) samples[index]?.push(time);
    }
  }
  return samples.map(median);
}

interface Bench {
  readonly seal: () => Promise<{ readonly envelope: HybridCryptoEnvelope }>;
  readonly open: (envelope: HybridCryptoEnvelope) => Promise<unknown>;
}

const SEEDS = Object.freeze({
  kem: new Uint8Array(64).fill(1),
  dsa: new Uint8Array(32).fill(2),
  mac: new Uint8Array(64).fill(3),
});

const CLAIMS = Object.freeze({
  purpose: 'proxy.result',
  tenant_id: createId('tenant'),
  recipient_key_id: createId('clientKey'),
  audit_event_id: createId('auditEvent'),
  issued_at: Math.floor(Date.now() / 1000),
  content_type: 'application/json',
  integration_id: createId('integration'),
  operation: 'list_tickets',
  request_target: 'POST /api/v2/proxy/outbound',
} as const);

/** Keys are imported once, as the gateway does, then used for every envelope. */
function createBench(suite: Suite, plaintext: Uint8Array): Bench {
  const recipient = suite.importKemPrivateKey(SEEDS.kem);
  const signingKey = suite.importSigningKey(SEEDS.dsa);
  const macKey = suite.importMacKey(SEEDS.mac);
  const sealing: SealEnvelopeInput = {
    claims: CLAIMS,
    plaintext,
    recipient: suite.importKemPublicKey(recipient.publicKey),
    signingKey,
    macKey,
  };
  const opening: OpenEnvelopeInput = {
    recipient,
    macKey,
    trustedSigningKeys: [
      {
        kid: signingKey.kid,
        publicKey: signingKey.publicKey,
        status: 'ACTIVE',
        notBefore: null,
        notAfter: null,
      },
    ],
    expected: { tenant_id: CLAIMS.tenant_id, recipient_key_id: CLAIMS.recipient_key_id },
  };
  return {
    seal: () => sealEnvelope(suite, sealing),
    open: (envelope) => openEnvelope(suite, envelope, opening),
  };
}

/**
 * The primitives alone, straight from `node:crypto`, on inputs of the sizes that sealing gives them:
 * encapsulate, encrypt, sign the transcript, MAC the transcript. No derivation, framing or encoding.
 */
function createBare(plaintext: Uint8Array, envelope: HybridCryptoEnvelope): { sync: Act; async: Act } {
  const parsed = parseEnvelope(envelope);
  const transcript = encodeTranscript(parsed);
  const context = new TextEncoder().encode('sealdesk/envelope/v1');
  const { publicKey } = generateKeyPairSync('ml-kem-768');
  const { privateKey } = generateKeyPairSync('ml-dsa-65');
  const macKey = createSecretKey(SEEDS.mac);
  const nonce = new Uint8Array(12);
  const encrypt = (): void => {
    const { sharedKey } = encapsulate(publicKey);
    const cipher = createCipheriv('aes-256-gcm', sharedKey, nonce).setAAD(parsed.protectedHeader);
    cipher.update(plaintext);
    cipher.final();
    cipher.getAuthTag();
  };
  const mac = (): Buffer => createHmac('sha512', macKey).update(transcript).digest();
  return {
    async sync() {
      encrypt();
      sign(null, transcript, { key: privateKey, context });
      mac();
    },
    async async() {
      encrypt();
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
      sign(null, transcript, { key: privateKey, context }, (error, signature) =>
        error ? reject(error) : resolve(signature),
      );
      await promise;
      mac();
    },
  };
}

/** The longest that the event loop was held up while `act` ran, and how long it ran, in milliseconds. */
async function measureDelay(act: Act): Promise<{ readonly delay: number; readonly took: number }> {
  const RESOLUTION = 1;
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  const start = performance.now();
  await act();
  const took = performance.now() - start;
  histogram.disable();
  return { delay: Math.max(0, histogram.max / 1e6 - RESOLUTION), took };
}

const format = (milliseconds: number): string => `${milliseconds.toFixed(3)} ms`.padStart(12);
const row = (label: string, text: string): void => console.log(`  ${label.padEnd(44)}${text}`);

function verdict(label: string, ratio: number, bar: number): boolean {
  row(label, `${ratio.toFixed(2)} ×   bar ${bar} ×   ${ratio >= bar ? 'met' : 'MISSED'}`);
  return ratio >= bar;
}

/** Prints the numbers; whether every bar was met. */
export async function run(): Promise<boolean> {
  console.log(
    `Node ${process.version}, OpenSSL ${process.versions.openssl}, ${availableParallelism()} × ${cpus()[0]?.model}`,
  );
  const native = createNodeSuite();
  const portable = createNobleSuite();
  let met = true;
  for (const size of SIZES) {
    const plaintext = new Uint8Array(size).fill(0x61);
    const ours = createBench(native, plaintext);
    const theirs = createBench(portable, plaintext);
    const { envelope } = await ours.seal();
    const bare = createBare(plaintext, envelope);
    const times = await compare(
      [
        { act: bare.async, batch: 20 },
        { act: ours.seal, batch: 20 },
        { act: bare.sync, batch: 20 },
        { act: () => ours.open(envelope), batch: 20 },
        { act: theirs.seal, batch: 3 },
        { act: () => theirs.open(envelope), batch: 3 },
      ],
      size < 100_000 ? 60 : 30,
    );
    const [bareAsync, seal, bareSync, open, portableSeal, portableOpen] = times as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    console.log(`\n${size / 1024} KiB, one after another`);
    row('bare primitives, signing off the event loop', format(bareAsync));
    row('bare primitives, signing on it', format(bareSync));
    row('seal', format(seal));
    row('seal, portable suite', format(portableSeal));
    row('open', format(open));
    row('open, portable suite', format(portableOpen));
    if (size === SIZES[0]) {
      met = verdict('seal against bare, off the event loop', bareAsync / seal, BARS.bare) && met;
      row('seal against bare, on it (for information)', `${(bareSync / seal).toFixed(2)} ×`);
      met = verdict('seal against portable', portableSeal / seal, BARS.portable) && met;
    }
  }
  const { seal } = createBench(native, new Uint8Array(1024));
  const idle = await measureDelay(() => systemClock.wait(300));
  const busy = await measureDelay(() => Promise.all(Array.from({ length: AT_ONCE }, seal)));
  console.log(`\n${AT_ONCE} envelopes of 1 KiB at once`);
  row('took', format(busy.took));
  row('longest delay of the event loop meanwhile', format(busy.delay));
  row('longest delay of the idle event loop', format(idle.delay));
  return met;
}
