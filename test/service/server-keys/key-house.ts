/** One or more gateway processes on one database and one KMS, with a tenant whose keys are rotated. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { vi } from 'vitest';
import { createId } from '../../../src/base/index.ts';
import { checkServerKeys } from '../../../src/cli/doctor/server-keys-check.ts';
import { type Kms, openAwsKms } from '../../../src/kms/index.ts';
import { runKeyRotations } from '../../../src/service/index.ts';
import type { RotationDeps } from '../../../src/service/server-keys/run-rotation.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import {
  insertCredential,
  openCredentialSecret,
  readCredentialSecret,
  sealCredentialSecret,
} from '../../../src/vault/index.ts';
import { openTestGateway, type TestGateway } from '../../support/gateway.ts';
import { type KmsServer, openKmsServer } from '../../support/kms-server.ts';
import { createTestDatabase, type DatabaseKind } from '../../support/store.ts';
import { createTestTenant, dataOf, type TestTenant } from '../../support/tenant.ts';
import { MovableClock } from '../house.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface KeyHouse extends AsyncDisposable {
  readonly server: KmsServer;
  readonly clock: MovableClock;
  /** The processes; of them there is more than one on PostgreSQL only. */
  readonly gateways: readonly [TestGateway, ...TestGateway[]];
  readonly tenant: TestTenant;
  /** A KMS client as a process has it that was configured with `defaultKeyArn`. */
  openKms(defaultKeyArn: string): Promise<Kms>;
  /** A further process on the same database, PostgreSQL only. */
  openProcess(kms?: Kms): Promise<TestGateway>;
}

export async function openKeyHouse(database: DatabaseKind, processes = 1): Promise<KeyHouse> {
  await using resources = new AsyncDisposableStack();
  const server = resources.use(await openKmsServer());
  for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
  resources.defer(() => void vi.unstubAllEnvs());
  const { location } = resources.use(await createTestDatabase(database));
  const clock = new MovableClock();
  // Taken out of use before the servers, and added to after this has answered.
  const processStack = resources.use(new AsyncDisposableStack());
  const openKms = async (defaultKeyArn: string): Promise<Kms> =>
    processStack.use(await openAwsKms({ endpoint: server.endpoint, defaultKeyArn, clock }));
  const openProcess = async (kms?: Kms): Promise<TestGateway> => {
    const store: Store = processStack.use(await openStore({ location }));
    const own = kms ?? (await openKms(server.defaultKeyArn));
    return processStack.use(await openTestGateway({ store, clock, kms: own, simulator: { tickets: 10 } }));
  };
  const first = await openProcess();
  const further: TestGateway[] = [];
  while (further.length < processes - 1) further.push(await openProcess());
  const tenant = await createTestTenant(first);
  const kept = resources.move();
  return {
    server,
    clock,
    gateways: [first, ...further],
    tenant,
    openKms,
    openProcess,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** What a process does about rotations when it looks for what is due. */
export function work(deps: RotationDeps, signal = new AbortController().signal): Promise<void> {
  return runKeyRotations(deps, { holder: randomUUID(), signal });
}

/** Lets the time of every claim on a rotation be over. */
export async function endClaims({ gateways: [{ store }], tenant }: KeyHouse): Promise<void> {
  await store.withTenant(tenant.id, (tx) =>
    sql`UPDATE key_rotations SET lease_until = clock_timestamp() WHERE state = 'RUNNING'`.execute(tx),
  );
}

export interface StatusAnswer {
  readonly kmsKeyArn: string | null;
  readonly signingKeys: readonly {
    readonly id: string;
    readonly kid: string;
    readonly status: string;
    readonly notBefore: string;
    readonly notAfter: string | null;
    readonly succeeds: string | null;
  }[];
  readonly vaultKeys: readonly {
    readonly version: number;
    readonly credentials: number;
    readonly accessTokens: number;
  }[];
  readonly kmsKeys: readonly {
    readonly kmsKeyRef: string;
    readonly secrets: number;
    readonly credentials: number;
    readonly accessTokens: number;
  }[];
  readonly rotations: readonly RotationAnswer[];
}

export interface RotationAnswer {
  readonly what: string;
  readonly from: readonly string[];
  readonly to: string;
  readonly state: string;
  readonly total: number;
  readonly remaining: number | null;
  readonly failure: string | null;
  readonly finishedAt: string | null;
}

const STATUS = `query($id: ID) { keyStatus(tenantId: $id) { kmsKeyArn
  signingKeys { id kid status notBefore notAfter succeeds } vaultKeys { version credentials accessTokens }
  kmsKeys { kmsKeyRef secrets credentials accessTokens }
  rotations { what from to state total remaining failure finishedAt } } }`;

/** As the operator reads it of the tenant. */
export async function statusOf({ gateways: [gateway], tenant }: KeyHouse): Promise<StatusAnswer> {
  const options = { apiKey: gateway.operatorKey, variables: { id: tenant.id } };
  const data: { keyStatus?: StatusAnswer } = dataOf(await gateway.graphql(STATUS, options));
  if (data.keyStatus === undefined) throw new Error('The status was not answered');
  return data.keyStatus;
}

/** What `sealdesk doctor` says of the keys in the database. */
export async function doctorOf(
  { gateways: [gateway] }: Pick<KeyHouse, 'gateways'>,
  defaultKeyRef: string | null,
): Promise<string> {
  const query = async (statement: string) =>
    (await gateway.store.withSystem('health', (tx) => sql.raw(statement).execute(tx))).rows;
  return (await checkServerKeys(query, defaultKeyRef)).map(({ text }) => text).join('\n');
}

/** Answers of the mutation `field` as the tenant's admin, or as the operator for the tenant. */
export async function change(
  { gateways: [gateway], tenant }: KeyHouse,
  field: string,
  { as = 'admin', args = '' }: { readonly as?: 'admin' | 'operator'; readonly args?: string } = {},
) {
  const selection = field.includes('Signing')
    ? '{ signingKey { id kid status notBefore } }'
    : '{ rotation { what from to state total remaining } }';
  const named = as === 'operator' ? [`tenantId: "${tenant.id}"`] : [];
  const all = [...named, ...(args === '' ? [] : [args])].join(', ');
  return gateway.graphql(`mutation { ${field}${all === '' ? '' : `(${all})`} ${selection} }`, {
    apiKey: as === 'operator' ? gateway.operatorKey : tenant.keys.admin,
  });
}

/** Seals `count` more credentials of the tenant; their ids, with the secret that each holds. */
export async function sealCredentials(
  { gateways: [{ store, deps }], tenant }: KeyHouse,
  count: number,
): Promise<ReadonlyMap<string, string>> {
  const { keyring } = deps;
  const sealed = await Promise.all(
    Array.from({ length: count }, () =>
      sealCredentialSecret({
        ...{ keyring, tenantId: tenant.id, credentialId: createId('credential'), version: 1 },
        secret: { type: 'api_key', api_key: randomUUID() },
      }),
    ),
  );
  await store.withTenant(tenant.id, async (tx) => {
    for (const one of sealed) {
      await insertCredential(tx, { sealed: one, name: null, expiresAt: null, now: new Date() });
    }
  });
  return openAll(
    { store, deps },
    tenant,
    sealed.map(({ credentialId }) => credentialId),
  );
}

/** What a process opens each of `ids` to. */
export async function openAll(
  { store, deps: { keyring } }: Pick<TestGateway, 'store' | 'deps'>,
  tenant: TestTenant,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const opened = new Map<string, string>();
  for (const credentialId of ids) {
    const key = { tenantId: tenant.id, credentialId };
    const sealed = await store.withTenant(tenant.id, (tx) => readCredentialSecret(tx, key));
    if (sealed === null) throw new Error('The credential is gone');
    const secret = await openCredentialSecret({ keyring, sealed });
    opened.set(credentialId, secret.type === 'api_key' ? secret.api_key : '');
  }
  return opened;
}
