/**
 * A configured gateway in a process of its own, as an operator would run it, with one tenant set up
 * through its API: what a benchmark calls over real connections.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { JsonObject } from '../src/base/index.ts';
import { callGateway, createKeyFile, registerKeyFile, type WelcomedKeyFile } from '../src/client/index.ts';
import type { Suite } from '../src/envelope/index.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const START_TIMEOUT_MS = 60_000;

/** A child that ends when its handle is disposed. */
export interface RunningProcess extends AsyncDisposable {
  readonly child: ChildProcess;
}

/** Runs one of our files under this Node until disposed. */
export function openProcess(args: readonly string[], env: NodeJS.ProcessEnv = process.env): RunningProcess {
  const child = spawn(process.execPath, [...args], { cwd: root, env, stdio: ['pipe', 'pipe', 'inherit'] });
  return {
    child,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** The first line that the child prints. */
export async function firstLineOf({ child }: RunningProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  throw new Error('The process ended without a word');
}

export interface BenchTenant {
  readonly url: string;
  readonly integrationId: string;
  readonly adminKey: string;
  /** An AGENT key and two DASHBOARD keys, bound to the client key. */
  readonly agentKey: string;
  readonly dashboardKey: string;
  readonly readerKey: string;
  readonly keyFile: WelcomedKeyFile;
}

export interface RunningGateway extends RunningProcess {
  readonly tenant: BenchTenant;
}

export interface OpenGatewayProcessOptions {
  readonly suite: Suite;
  readonly zendeskOrigin: string;
  /** Type and secret as `sealCredential` takes them. */
  readonly credential: { readonly type: string; readonly secret: JsonObject };
  /** A PostgreSQL database; the embedded one where left out. */
  readonly databaseUrl?: string;
  /** Settings of the gateway besides. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Of Node, for the gateway. */
  readonly nodeFlags?: readonly string[];
}

/** Starts a gateway on a folder of its own, and founds its tenant. */
export async function openGatewayProcess(options: OpenGatewayProcessOptions): Promise<RunningGateway> {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-bench-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const env = {
    ...process.env,
    PORT: String(port),
    SEALDESK_DATA_DIR: folder,
    SEALDESK_ZENDESK_ORIGIN: options.zendeskOrigin,
    SEALDESK_LOG_LEVEL: 'warn',
    ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
    ...options.settings,
  };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['src/main.ts', 'operator', 'create', '--json'],
    { cwd: root, env },
  );
  const { child } = resources.use(openProcess([...(options.nodeFlags ?? []), 'src/main.ts', 'serve'], env));
  child.stdout?.resume();
  await untilReady(url);
  const tenant = await foundTenant(options, url, JSON.parse(stdout).apiKey);
  const kept = resources.move();
  return { child, tenant, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function foundTenant(
  { suite, credential }: OpenGatewayProcessOptions,
  url: string,
  operatorKey: string,
): Promise<BenchTenant> {
  const ask = async (apiKey: string, query: string, variables: JsonObject = {}) =>
    // Of as many shapes as there are answers.
    (await callGateway({ gateway: url, fetch, apiKey }, query, variables)) as ReturnType<typeof JSON.parse>;
  const { createTenant } = await ask(
    operatorKey,
    'mutation { createTenant(input: { name: "Benchmark" }) { adminApiKeySecret } }',
  );
  const adminKey: string = createTenant.adminApiKeySecret;
  const { keyFile } = await registerKeyFile(suite, {
    gateway: url,
    apiKey: adminKey,
    keyFile: createKeyFile(suite),
    fetch,
  });
  await ask(adminKey, 'mutation($id: ID!) { mapClientKey(keyId: $id) { clientKey { id } } }', {
    id: keyFile.key_id,
  });
  const createApiKey = async (role: string): Promise<string> => {
    const created = await ask(
      adminKey,
      'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      { input: { name: role, roles: [role], clientKeyId: keyFile.key_id, requestsPerMinute: 1_000_000 } },
    );
    return created.createApiKey.secret;
  };
  const { sealCredential } = await ask(
    adminKey,
    'mutation($input: SealCredentialInput!) { sealCredential(input: $input) { credential { id } } }',
    { input: credential },
  );
  const { createIntegration } = await ask(
    adminKey,
    'mutation($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }',
    {
      input: {
        systemType: 'ZENDESK',
        config: { subdomain: 'bench' },
        credentialId: sealCredential.credential.id,
        allowedOperations: [
          'list_tickets',
          'get_ticket',
          'create_ticket',
          'update_ticket',
          'list_users',
          'list_organizations',
          'search',
          'subscribe_tickets',
        ],
      },
    },
  );
  return {
    url,
    integrationId: createIntegration.integration.id,
    adminKey,
    agentKey: await createApiKey('AGENT'),
    dashboardKey: await createApiKey('DASHBOARD'),
    readerKey: await createApiKey('DASHBOARD'),
    keyFile,
  };
}

async function untilReady(url: string): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const ready = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    if (Date.now() > end) throw new Error('The gateway did not become ready');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('No port was given');
  return address.port;
}
