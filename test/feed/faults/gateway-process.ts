/** Gateways in processes of their own, to be killed, stopped, frozen and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FeedTimes } from '../../../src/service/index.ts';

/** What the program beside this file is told. */
export interface GatewaySpec {
  readonly databaseUrl: string;
  /** The local root key. */
  readonly keyFile: string;
  readonly zendeskOrigin: string;
  /** Where Zendesk calls. */
  readonly publicUrl: string;
  /** By how much its clock is wrong. */
  readonly clockOffsetMs: number;
  readonly times: Partial<FeedTimes>;
  readonly tailPollMs: number;
  /** Whether it makes an OPERATOR key. */
  readonly foundsInstallation: boolean;
}

/** What the program says when it listens. */
export interface GatewayGreeting {
  readonly port: number;
  /** The name under which it holds leases. */
  readonly holder: string;
  readonly operatorKey: string | null;
}

export interface GatewayProcess extends AsyncDisposable, GatewayGreeting {
  readonly url: string;
  /** By how much its clock is wrong. */
  readonly clockOffsetMs: number;
  /** Neither killed nor stopped. */
  readonly isAlive: boolean;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGSTOP: it stands still and knows nothing of it. */
  freeze(): void;
  thaw(): void;
}

/** What faults make them log is as expected as the faults. */
const LOG = process.env['SEALDESK_TEST_GATEWAY_LOG'] === '1' ? 'inherit' : 'ignore';
const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** Starts `program`, which is the one beside this file, and resolves when it listens. */
export async function openGatewayProcess(program: string, spec: GatewaySpec): Promise<GatewayProcess> {
  const child = spawn(process.execPath, [program, JSON.stringify(spec)], {
    stdio: ['pipe', 'pipe', LOG],
    env: { ...process.env, NODE_COMPILE_CACHE: join(dirname(program), 'compiled') },
  });
  const line = await firstLineOf(child);
  return handleOf(child, JSON.parse(line), spec.clockOffsetMs);
}

/** What {@link openServeProcess} needs. */
export type ServeSettings = Pick<GatewaySpec, 'databaseUrl' | 'keyFile' | 'zendeskOrigin' | 'publicUrl'> & {
  readonly port: number;
};

/** Starts the gateway as operators do, `serve` with its own times, and resolves when it answers. */
export async function openServeProcess(settings: ServeSettings): Promise<GatewayProcess> {
  const { port } = settings;
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      DATABASE_URL: settings.databaseUrl,
      SEALDESK_KMS_KEY_FILE: settings.keyFile,
      SEALDESK_ZENDESK_ORIGIN: settings.zendeskOrigin,
      SEALDESK_PUBLIC_URL: settings.publicUrl,
      SEALDESK_LOG_LEVEL: 'info',
    },
  });
  await untilSaid(child, '"Listening"');
  return handleOf(child, { port, holder: '', operatorKey: null }, 0);
}

function handleOf(child: ChildProcess, greeting: GatewayGreeting, clockOffsetMs: number): GatewayProcess {
  const exited = once(child, 'exit');
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null && !child.killed;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    ...greeting,
    clockOffsetMs,
    url: `http://127.0.0.1:${greeting.port}`,
    get isAlive() {
      return isAlive();
    },
    async kill() {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
    freeze: () => void process.kill(child.pid ?? 0, 'SIGSTOP'),
    thaw: () => void process.kill(child.pid ?? 0, 'SIGCONT'),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
    },
  };
}

async function firstLineOf({ stdout }: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of stdout ?? []) {
    text += String(chunk);
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  throw new Error('The gateway ended without a word');
}

/** Resolves when the log of the process has `word`. */
async function untilSaid({ stderr }: ChildProcess, word: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = text.slice(-word.length) + chunk;
    if (text.includes(word)) resolve();
    if (LOG === 'inherit') process.stderr.write(chunk);
  });
  stderr?.once('end', () => reject(new Error('The gateway ended before it listened')));
  await promise;
}
