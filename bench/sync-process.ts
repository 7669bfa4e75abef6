/**
 * A gateway's access sync in a process of its own, on a database of its own, told what to do by its parent. In
 * plaintext it is the same code with keys that seal nothing: texts lie as they are, and are looked up as they are.
 */
import { hash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADMIN_EMAIL, DEFAULT_API_TOKEN } from '../simulator/index.ts';
import { createInboundLimiter } from '../src/access/index.ts';
import { encodeBase64Url, encodeUtf8, parseUtf8, silentLog, systemClock } from '../src/base/index.ts';
import { emailIndexOf, listDirectoryUsers, openDirectoryUser } from '../src/directory/index.ts';
import { createNodeSuite } from '../src/envelope/node.ts';
import { openLocalKms } from '../src/kms/index.ts';
import {
  createBudgetLedger,
  createSharedReads,
  createZendeskAuthorizer,
  createZendeskConnections,
} from '../src/proxy/index.ts';
import {
  type Call,
  createOperatorKey,
  createServices,
  ensureInstallation,
  openFeedRuntime,
  openPlanRuns,
  openSyncWorker,
  type ServiceDeps,
} from '../src/service/index.ts';
import { openStore } from '../src/store/index.ts';
import { openKeyring, type TenantKeys } from '../src/vault/index.ts';
import { openAccountLimiters, openZendeskTransport } from '../src/zendesk/index.ts';
import { answerQuestions } from './asked-process.ts';

export type SyncMode = 'SEALED' | 'PLAIN';
export type SyncQuestion =
  | { readonly kind: 'OPEN'; readonly mode: SyncMode; readonly zendesk: string; readonly databaseUrl: string }
  /** Syncs a directory of so many users. */
  | { readonly kind: 'SYNC'; readonly users: number }
  /** Looks up one user after the other by each of these addresses. */
  | { readonly kind: 'LOOK_UP'; readonly emails: readonly string[] }
  /** Some addresses of the directory. */
  | { readonly kind: 'SAMPLE'; readonly count: number };

export interface SyncAnswer {
  readonly users: number;
  readonly seconds: number;
  readonly idleBytes: number;
  /** Until half of the users were seen, and in all. */
  readonly halfwayPeakBytes: number;
  readonly peakBytes: number;
  /** Milliseconds each. */
  readonly lookups: readonly number[];
  readonly emails: readonly string[];
}

const SAMPLE_MS = 50;
const HASH_SIZE = 32;
const RETENTION_MS = 30 * 86_400_000;
const NOTHING: SyncAnswer = {
  ...{ users: 0, seconds: 0, idleBytes: 0, halfwayPeakBytes: 0, peakBytes: 0 },
  ...{ lookups: [], emails: [] },
};

interface Opened {
  readonly deps: ServiceDeps;
  readonly services: ReturnType<typeof createServices>;
  readonly call: Call;
  readonly tenantId: string;
  readonly integrationId: string;
  keys(): Promise<TenantKeys>;
}

let opened: Opened | null = null;

answerQuestions(async (question: SyncQuestion): Promise<SyncAnswer> => {
  if (question.kind === 'OPEN') {
    opened = await open(question);
    return NOTHING;
  }
  if (opened === null) throw new Error('The process was asked before it was opened');
  switch (question.kind) {
    case 'SYNC':
      return sync(opened, question.users);
    case 'LOOK_UP':
      return { ...NOTHING, lookups: await lookUp(opened, question.emails) };
    case 'SAMPLE':
      return { ...NOTHING, emails: await sample(opened, question.count) };
    default:
      return question satisfies never;
  }
});

async function open({
  mode,
  zendesk,
  databaseUrl,
}: Extract<SyncQuestion, { readonly kind: 'OPEN' }>): Promise<Opened> {
  const [log, clock] = [silentLog, systemClock];
  const store = await openStore({ location: { kind: 'postgres', connectionString: databaseUrl } });
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-bench-'));
  const kms = await openLocalKms({ file: join(folder, 'kms.key'), createIfMissing: true });
  const real = openKeyring({ store, kms, suite: createNodeSuite() });
  const keys = async (tenantId: string): Promise<TenantKeys> => {
    const unwrapped = await real.keysOf(tenantId);
    return mode === 'SEALED' ? unwrapped : plainKeys(unwrapped);
  };
  const limiters = openAccountLimiters({ ledger: createBudgetLedger(store), clock, log });
  const zendeskDeps = { transport: openZendeskTransport({}), limiters, originTemplate: zendesk, clock, log };
  const connections = createZendeskConnections({ ...zendeskDeps, store, keyring: real });
  const deps: ServiceDeps = {
    ...{ store, kms, connections, clock, log, publicUrl: 'http://localhost:4000' },
    keyring: new Proxy(real, {
      get: (target, name) => {
        const own: unknown = name === 'keysOf' ? keys : Reflect.get(target, name);
        return typeof own === 'function' && name !== 'keysOf' ? own.bind(target) : own;
      },
    }),
    feed: await openFeedRuntime({ store, keyring: real, clock, log }),
    sharedReads: createSharedReads({ clock }),
    limiter: createInboundLimiter({ clock }),
    planRuns: openPlanRuns({ store, keyring: real, connections, clock, log }),
    connecting: { authorizer: createZendeskAuthorizer(zendeskDeps), client: null, returnOrigins: [] },
  };
  const services = createServices(deps, (await ensureInstallation(deps)).id);
  const callOf = async (apiKey: string): Promise<Call> => ({
    caller: await services.authenticate(apiKey, '127.0.0.1'),
    ...{ requestId: 'bench', ip: '127.0.0.1', requestTarget: 'POST /graphql', clientNonce: null },
    requestSha256: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    ...{ recipientKeyId: null, acceptsSealedErrors: false, parentEventId: null },
    signal: new AbortController().signal,
  });
  const operator = await callOf((await createOperatorKey(deps, 'bench')).secret);
  const { tenant, adminApiKeySecret } = await services.createTenant(operator, { name: 'Benchmark' });
  const call = await callOf(adminApiKeySecret);
  const { credential } = await services.sealCredential(call, {
    type: 'basic_auth',
    secret: { username: ADMIN_EMAIL, password: DEFAULT_API_TOKEN },
  });
  const { integration } = await services.createIntegration(call, {
    systemType: 'ZENDESK',
    config: { subdomain: 'bench' },
    credentialId: credential.id,
    allowedOperations: ['sync_directory'],
  });
  openSyncWorker(deps, { retentionMs: RETENTION_MS });
  return {
    deps,
    services,
    call,
    tenantId: tenant.id,
    integrationId: integration.id,
    keys: () => keys(tenant.id),
  };
}

/** One full run, from the request to its end, and what the process held meanwhile. */
async function sync({ services, call, integrationId }: Opened, users: number): Promise<SyncAnswer> {
  globalThis.gc?.();
  const idleBytes = process.memoryUsage.rss();
  let peakBytes = idleBytes;
  let halfwayPeakBytes = idleBytes;
  const sampling = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, SAMPLE_MS);
  try {
    await using session = await services.openTicketSession(call, () => undefined);
    const { run } = await services.startAccessSync(call, { integrationId, full: true });
    const told = await session.followSync(run.id, new AbortController().signal);
    for await (const { state, usersSeen, startedAt, finishedAt, advice } of told) {
      if (usersSeen <= users / 2) halfwayPeakBytes = peakBytes;
      if (finishedAt === null || startedAt === null) continue;
      if (state !== 'SUCCEEDED') throw new Error(`The sync has ${state}: ${advice}`);
      const seconds = (finishedAt.getTime() - startedAt.getTime()) / 1_000;
      return { ...NOTHING, users: usersSeen, seconds, idleBytes, halfwayPeakBytes, peakBytes };
    }
    throw new Error('The sync did not end');
  } finally {
    clearInterval(sampling);
  }
}

async function lookUp(
  { deps, tenantId, integrationId, keys }: Opened,
  emails: readonly string[],
): Promise<readonly number[]> {
  const key = { tenantId, integrationId };
  const taken: number[] = [];
  for (const email of emails) {
    const began = performance.now();
    const unwrapped = await keys();
    const filter = { emailIndex: emailIndexOf(unwrapped, integrationId, email) };
    const rows = await deps.store.withTenant(tenantId, (tx) =>
      listDirectoryUsers(tx, key, filter, { limit: 2 }),
    );
    const [user] = rows.map((row) => openDirectoryUser(unwrapped, key, row));
    taken.push(performance.now() - began);
    if (user?.email !== email) throw new Error('The look-up found another user');
  }
  return taken;
}

async function sample(
  { deps, tenantId, integrationId, keys }: Opened,
  count: number,
): Promise<readonly string[]> {
  const key = { tenantId, integrationId };
  const unwrapped = await keys();
  const emails: string[] = [];
  const every = 1_000;
  for (let after = 0; emails.length < count; ) {
    const rows = await deps.store.withTenant(tenantId, (tx) =>
      listDirectoryUsers(tx, key, {}, { after, limit: every }),
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.zendeskId;
    for (const row of rows.filter((_row, at) => at % 20 === 0)) {
      const { email } = openDirectoryUser(unwrapped, key, row);
      if (email !== null) emails.push(email);
    }
  }
  return emails.slice(0, count);
}

/** Keys that seal nothing. What is compared to see a change is hashed without a key. */
function plainKeys(real: TenantKeys): TenantKeys {
  const replaced: Partial<TenantKeys> = {
    sealText: (_place, text) => encodeUtf8(text),
    openText: (_place, sealed) => parseUtf8(new Uint8Array(sealed)) ?? '',
    indexHmac: (label, text) =>
      label === 'directory/digest'
        ? hash('sha256', text, 'base64url')
        : encodeBase64Url(encodeUtf8(text.padStart(HASH_SIZE)).slice(-HASH_SIZE)),
  };
  return new Proxy(real, {
    get(target, name) {
      if (Object.hasOwn(replaced, name)) return Reflect.get(replaced, name);
      const own: unknown = Reflect.get(target, name);
      return typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
