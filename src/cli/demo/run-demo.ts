/** The demo: gateway and simulator in one process, set up and explained. */
import { join } from 'node:path';
import { type Config, ConfigError, readConfig, type SettingName } from '../../config.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { CALLBACK_PATH, createOperatorKey } from '../../service/index.ts';
import type { CommandContext } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { openStopRequest } from '../stop-request.ts';
import { demoGuide } from './demo-guide.ts';
import type { DemoOptions } from './demo-options.ts';
import { type DemoFile, writeDemoFile } from './demo-record.ts';
import { setUpDemo } from './set-up-demo.ts';

const SIMULATOR_HOST = '127.0.0.1';
/** Recorded paid accounts show this limit of ticket lists in place of the documented 100 a minute. */
const TICKET_LISTS_PER_MINUTE = 20_000;
const CHANGES_PER_MINUTE = 6;
/** Settings that the demo replaces by its own. */
const REPLACED: readonly SettingName[] = [
  'DATABASE_URL',
  'SEALDESK_KMS',
  'SEALDESK_KMS_KEY_FILE',
  'SEALDESK_ZENDESK_ORIGIN',
];

/** Runs until a signal asks it to stop. */
export async function runDemo(
  { house, terminal }: CommandContext,
  { simulatorPort }: DemoOptions,
): Promise<number> {
  const config = demoConfig(simulatorPort);
  if (config.port === simulatorPort) {
    throw new CommandError(
      `PORT ${config.port} is also the simulator's port; choose another with --simulator-port.`,
    );
  }
  const unused = REPLACED.filter((name) => config.given[name] !== undefined);
  if (unused.length > 0) terminal.warn(`sealdesk: The demo does not use ${unused.join(', ')}.`);
  using stop = openStopRequest();
  await using backend = await house.openBackend(config);
  await using simulator = await openDemoSimulator(simulatorPort, `${config.publicUrl}${CALLBACK_PATH}`);
  await using _gateway = await house.openGateway(config, backend);
  const clientKeyFile = join(config.dataDir, 'demo-client-key.json');
  const identity = await setUpDemo({
    suite: createNodeSuite(),
    url: localUrl(config),
    folder: config.dataDir,
    clientKeyFile,
    oauthClient: simulator.oauthClient,
    createOperatorKey: async () => (await createOperatorKey(backend.deps, 'demo operator')).secret,
  });
  const file: DemoFile = {
    url: config.publicUrl,
    simulatorUrl: simulator.url,
    ...identity,
    clientKeyFile,
  };
  await writeDemoFile(config.dataDir, file);
  terminal.write(
    demoGuide({
      file,
      folder: config.dataDir,
      tickets: simulator.tickets,
      changesPerMinute: CHANGES_PER_MINUTE,
    }),
  );
  await stop.received;
  return 0;
}

/** The demo lives in its folder alone and calls its own simulator, whatever the environment says of databases and keys. */
function demoConfig(simulatorPort: number): Config {
  const config = readConfig();
  if (config.port === 0) throw new ConfigError('PORT=0 cannot be used for the demo: it prints its address.');
  return Object.freeze({
    ...config,
    databaseUrl: null,
    kms: { kind: 'local', keyFile: join(config.dataDir, 'kms.key') },
    zendeskOrigin: `http://${SIMULATOR_HOST}:${simulatorPort}`,
    logLevel: config.given.SEALDESK_LOG_LEVEL === undefined ? 'warn' : config.logLevel,
  } satisfies Config);
}

interface DemoSimulator extends AsyncDisposable {
  readonly url: string;
  readonly tickets: number;
  readonly oauthClient: { readonly client_id: string; readonly client_secret: string };
}

async function openDemoSimulator(port: number, redirectUri: string): Promise<DemoSimulator> {
  const { openSimulator, defaultOAuthClients, DEFAULT_OAUTH_CLIENT, DEFAULT_OAUTH_SECRET } = await import(
    '../../../simulator/index.ts'
  );
  const options = {
    host: SIMULATOR_HOST,
    port,
    endpointLimits: { 'tickets-index': TICKET_LISTS_PER_MINUTE },
    activityPerMinute: CHANGES_PER_MINUTE,
    // Light agents, long absences, missing second factors: else a review of access has nothing to show.
    people: { varied: true },
    accounts: { oauthClients: defaultOAuthClients(isRedirectUri(redirectUri) ? [redirectUri] : []) },
  };
  const simulator = await openSimulator(options).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new CommandError(
      `Port ${port}, meant for the simulator, is in use. Stop what uses it, or choose another with --simulator-port PORT.`,
    );
  });
  return {
    url: simulator.url,
    tickets: simulator.tickets.count,
    oauthClient: { client_id: DEFAULT_OAUTH_CLIENT, client_secret: DEFAULT_OAUTH_SECRET },
    [Symbol.asyncDispose]: () => simulator[Symbol.asyncDispose](),
  };
}

/** The simulator takes what Zendesk takes: no clear http but on this machine. */
function isRedirectUri(uri: string): boolean {
  const { protocol, hostname } = new URL(uri);
  return protocol === 'https:' || ['localhost', '127.0.0.1'].includes(hostname);
}

/** Where this process itself reaches the gateway: clear http, which does not leave the machine. */
function localUrl({ host, port }: Config): string {
  const reached = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}`;
}
