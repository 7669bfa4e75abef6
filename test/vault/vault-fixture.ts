/** A store with tenants, a KMS server under it and a keyring on both, as the vault's tests need them. */
import { vi } from 'vitest';
import { type Bytes, createId } from '../../src/base/index.ts';
import type { Suite } from '../../src/envelope/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { type Kms, openAwsKms } from '../../src/kms/index.ts';
import type { Store } from '../../src/store/index.ts';
import {
  insertTenantSecrets,
  type Keyring,
  openKeyring,
  type PreparedTenantSecrets,
  prepareTenantSecrets,
} from '../../src/vault/index.ts';
import { ManualClock } from '../kms/manual-clock.ts';
import { type KmsServer, openKmsServer } from '../support/kms-server.ts';
import { type DatabaseKind, openTestStore } from '../support/store.ts';

/** Back-off is cut short; the vault's own times are minutes. */
const PATIENCE_MS = 2_500;

/** A KMS that remembers every plaintext it gave out, to see whether it was wiped. */
export function watchKms(kms: Kms, given: Bytes[]): Kms {
  return {
    name: kms.name,
    describeKey: (input) => kms.describeKey(input),
    async generateDataKey(input) {
      const dataKey = await kms.generateDataKey(input);
      given.push(dataKey.plaintext);
      return dataKey;
    },
    async decryptDataKey(input) {
      const plaintext = await kms.decryptDataKey(input);
      given.push(plaintext);
      return plaintext;
    },
    [Symbol.asyncDispose]: () => kms[Symbol.asyncDispose](),
  };
}

/** A suite that remembers every plaintext it opened and all its random bytes, with copies of both. */
export function watchSuite(suite: Suite, opened: Bytes[], random: Bytes[]): Suite {
  return {
    ...suite,
    randomBytes(length) {
      const bytes = suite.randomBytes(length);
      random.push(new Uint8Array(bytes));
      return bytes;
    },
    openAes256Gcm(key, nonce, aad, ciphertext) {
      const plaintext = suite.openAes256Gcm(key, nonce, aad, ciphertext);
      if (plaintext !== null) opened.push(plaintext);
      return plaintext;
    },
  };
}

export interface Fixture extends AsyncDisposable {
  readonly store: Store;
  readonly server: KmsServer;
  readonly kms: Kms;
  readonly suite: Suite;
  readonly clock: ManualClock;
  readonly keyring: Keyring;
  /** Every data key in the clear that left the KMS. */
  readonly dataKeys: Bytes[];
  /** Every plaintext that AES-GCM gave. */
  readonly opened: Bytes[];
  /** Copies of all random bytes: seeds, roots, nonces, salts. */
  readonly random: Bytes[];
  createTenant(keyRef?: string | null): Promise<string>;
}

export async function insertTenant(
  store: Store,
  prepared: PreparedTenantSecrets,
  keyRef: string | null,
): Promise<void> {
  await store.withSystem('tenant-administration', async (tx) => {
    const { tenantId } = prepared;
    await tx
      .insertInto('tenants')
      .values({ id: tenantId, kind: 'CUSTOMER', name: 'A tenant', kms_key_ref: keyRef })
      .execute();
    await insertTenantSecrets(tx, prepared);
  });
}

export async function openFixture(
  source: DatabaseKind | Store,
  options: { readonly maxTenants?: number } = {},
): Promise<Fixture> {
  await using resources = new AsyncDisposableStack();
  const store = typeof source === 'string' ? resources.use(await openTestStore(source)).store : source;
  const server = resources.use(await openKmsServer());
  for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
  resources.defer(() => void vi.unstubAllEnvs());
  const clock = new ManualClock(PATIENCE_MS);
  const [dataKeys, opened, random]: [Bytes[], Bytes[], Bytes[]] = [[], [], []];
  const aws = await openAwsKms({ endpoint: server.endpoint, defaultKeyArn: server.defaultKeyArn, clock });
  const kms = resources.use(watchKms(aws, dataKeys));
  const suite = watchSuite(createNodeSuite(), opened, random);
  const keyring = resources.use(openKeyring({ store, kms, suite, clock, ...options }));
  const kept = resources.move();
  return {
    store,
    server,
    kms,
    suite,
    clock,
    keyring,
    dataKeys,
    opened,
    random,
    async createTenant(keyRef = null) {
      const tenantId = createId('tenant');
      const now = new Date(clock.now());
      await insertTenant(store, await prepareTenantSecrets({ kms, suite, tenantId, keyRef, now }), keyRef);
      return tenantId;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export function isWiped(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
