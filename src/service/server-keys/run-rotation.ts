/**
 * Brings what rests on an old key under the present one, a few records at a time. The database alone says what
 * is left to do, so whoever goes on after a crash needs to know nothing; each record is written only where it
 * is still what was read. Between the calls to the KMS and the writes no transaction is open.
 */
import { findTenant, holdTenant } from '../../access/index.ts';
import { isSealdeskError } from '../../base/index.ts';
import type { Tx } from '../../store/index.ts';
import {
  claimRotation,
  countResting,
  deleteSecretVersions,
  finishRotation,
  type KeyRotation,
  listRestingAccessTokens,
  listRestingCredentials,
  type RestingGoal,
  readTenantSecrets,
  releaseRotation,
  replaceRestingAccessToken,
  replaceRestingCredential,
  replaceSecretRow,
  restingSecrets,
  rewrapAccessToken,
  rewrapCredentialSecret,
  rewrapTenantSecret,
} from '../../vault/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { goalOf } from './rotation-view.ts';
import { rotationEvent } from './system-event.ts';

/** Milliseconds. */
export const ROTATION_TIMES = Object.freeze({
  /** For which a process has the work to itself unless it goes on with it. */
  lease: 60_000,
  /**
   * From the change of the key until the old one can be done with: keys in memory elsewhere are used for nine
   * minutes at most, and what was sealed with them is then stored.
   */
  settling: 900_000,
});
/** Records re-wrapped at once and written in one transaction. */
const BATCH = 16;

export type RotationDeps = Pick<ServiceDeps, 'store' | 'kms' | 'keyring' | 'clock' | 'log'>;

export interface RotationRun {
  /** A random name of the process. */
  readonly holder: string;
  readonly signal: AbortSignal;
}

/** Works on a rotation as far as it goes now; nothing happens where another process does. */
export async function runRotation(
  deps: RotationDeps,
  rotation: KeyRotation,
  { holder, signal }: RotationRun,
): Promise<void> {
  const { store, log } = deps;
  const { id, tenantId } = rotation;
  const claim = { id, holder, lifetimeMs: ROTATION_TIMES.lease };
  const keep = () => store.withTenant(tenantId, (tx) => claimRotation(tx, claim));
  if (!(await keep())) return;
  let failure: string | null = null;
  try {
    failure = await new Rewrapping(deps, rotation, keep, signal).run();
    if (await finish(deps, rotation)) return;
  } catch (error) {
    if (signal.aborted) failure = null;
    else {
      failure = isSealdeskError(error) ? error.code : 'INTERNAL';
      log.warn('The re-wrapping of stored secrets could not go on', {
        tenantId,
        error: error instanceof Error ? error : undefined,
      });
    }
  }
  await store.withTenant(tenantId, (tx) => releaseRotation(tx, { id, holder, failure }));
}

class Rewrapping {
  readonly #deps: RotationDeps;
  readonly #tenantId: string;
  readonly #goal: RestingGoal;
  readonly #keep: () => Promise<boolean>;
  readonly #signal: AbortSignal;
  #failure: string | null = null;

  constructor(deps: RotationDeps, rotation: KeyRotation, keep: () => Promise<boolean>, signal: AbortSignal) {
    this.#deps = deps;
    this.#tenantId = rotation.tenantId;
    this.#goal = goalOf(rotation);
    this.#keep = keep;
    this.#signal = signal;
  }

  /** The code of what kept single records from being re-wrapped, `null` where nothing did. */
  async run(): Promise<string | null> {
    const { keyring } = this.#deps;
    const tenantId = this.#tenantId;
    const goal = this.#goal;
    const resting = await this.#deps.store.withTenant(tenantId, (tx) => countResting(tx, tenantId, goal));
    if (resting === 0) return null;
    // What is in memory may be older than the change that this is about.
    keyring.forget(tenantId);
    if (goal.what === 'KMS' && !(await this.#rewrapSecrets(goal.keyRef))) return null;
    const signal = this.#signal;
    await this.#rewrapAll({
      list: (tx, page) => listRestingCredentials(tx, tenantId, goal, page),
      rewrap: (sealed) => rewrapCredentialSecret({ keyring, sealed, signal }),
      replace: replaceRestingCredential,
    });
    await this.#rewrapAll({
      list: (tx, page) => listRestingAccessTokens(tx, tenantId, goal, page),
      rewrap: (sealed) => rewrapAccessToken({ keyring, sealed, signal }),
      replace: replaceRestingAccessToken,
    });
    return this.#failure;
  }

  /** `false` where this process was configured with another default key: the work is for those with the new one. */
  async #rewrapSecrets(goalRef: string): Promise<boolean> {
    const { store, kms, keyring, log } = this.#deps;
    const [tenantId, signal] = [this.#tenantId, this.#signal];
    const { tenant, secrets } = await store.withTenant(tenantId, async (tx) => ({
      tenant: await findTenant(tx, tenantId),
      secrets: await readTenantSecrets(tx, tenantId),
    }));
    const keyRef = tenant?.kmsKeyRef ?? null;
    const described = await kms.describeKey({ keyRef, signal });
    if (described.keyRef !== goalRef) {
      log.info('Stored secrets are to come under a KMS key that this process does not use', { tenantId });
      return false;
    }
    for (const row of restingSecrets(secrets, { what: 'KMS', keyRef: goalRef })) {
      const { suite } = keyring;
      const next = await rewrapTenantSecret({ kms, suite, tenantId, row, keyRef, signal });
      await store.withTenant(tenantId, (tx) => replaceSecretRow(tx, tenantId, row, next));
    }
    return true;
  }

  async #rewrapAll<Sealed extends { readonly credentialId: string }>(work: {
    readonly list: (
      tx: Tx,
      page: { readonly after: string; readonly limit: number },
    ) => Promise<readonly Sealed[]>;
    readonly rewrap: (sealed: Sealed) => Promise<Sealed>;
    readonly replace: (tx: Tx, read: Sealed, next: Sealed) => Promise<boolean>;
  }): Promise<void> {
    const { store } = this.#deps;
    let after = '';
    for (;;) {
      this.#signal.throwIfAborted();
      const batch = await store.withTenant(this.#tenantId, (tx) => work.list(tx, { after, limit: BATCH }));
      const last = batch.at(-1);
      if (last === undefined) return;
      const made = await Promise.all(
        batch.map(async (read) => ({ read, next: await this.#attempt(() => work.rewrap(read)) })),
      );
      await store.withTenant(this.#tenantId, async (tx) => {
        for (const { read, next } of made) if (next !== null) await work.replace(tx, read, next);
      });
      // Another process has it now, and goes on with what is left.
      if (!(await this.#keep())) return;
      after = last.credentialId;
    }
  }

  /** One altered record keeps no other from being re-wrapped. */
  async #attempt<Sealed>(rewrap: () => Promise<Sealed>): Promise<Sealed | null> {
    try {
      return await rewrap();
    } catch (error) {
      if (!isSealdeskError(error, 'INTERNAL')) throw error;
      this.#failure = error.code;
      this.#deps.log.warn('A stored secret could not be re-wrapped', { tenantId: this.#tenantId, error });
      return null;
    }
  }
}

/** Ends the rotation where nothing rests on an old key and nothing can come to; old versions of the vault key are destroyed. */
async function finish({ store, keyring, clock }: RotationDeps, rotation: KeyRotation): Promise<boolean> {
  const { id, tenantId, what, startedAt } = rotation;
  const now = clock.now();
  if (now - startedAt.getTime() < ROTATION_TIMES.settling) return false;
  const goal = goalOf(rotation);
  const keys = await keyring.keysOf(tenantId);
  const isFinished = await store.withTenant(tenantId, async (tx) => {
    await holdTenant(tx, tenantId);
    if ((await countResting(tx, tenantId, goal)) > 0) return false;
    if (!(await finishRotation(tx, id, new Date(now)))) return false;
    const vaults = (await readTenantSecrets(tx, tenantId)).filter(({ purpose }) => purpose === 'vault');
    const old = vaults.flatMap(({ version }) =>
      goal.what === 'VAULT' && version < goal.version ? version : [],
    );
    await deleteSecretVersions(tx, tenantId, 'vault', old);
    const action = what === 'VAULT' ? 'vault-key.destroy' : 'kms-key.leave';
    await appendEvents(tx, tenantId, keys.auditHeadKey(), [rotationEvent(action, tenantId, now)]);
    return true;
  });
  if (isFinished) keyring.forget(tenantId);
  return isFinished;
}
