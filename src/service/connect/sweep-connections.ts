/** Looks after authorizations that nobody attends to: those that ran out, and those whose process died. */
import {
  type AuthorizationKey,
  findUnattended,
  type OpenAuthorization,
  sweepAuthorizations,
  takeOver,
} from '../../proxy/index.ts';
import { prepareCredentialSealer, type TenantKeys } from '../../vault/index.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { ATTENDED_MS, leftUntil } from './complete-connection.ts';
import { endRecorded } from './connection-record.ts';
import { openPair, openSecrets } from './connection-secrets.ts';
import { giveUp, settleConnection } from './settle-connection.ts';

/** For how long it may be asked how a connection went. */
const KEPT_MS = 86_400_000;
/** After this time it is no longer tried to finish one. */
const GIVE_UP_MS = 21_600_000;
const SWEPT_AT_ONCE = 500;
const TAKEN_AT_ONCE = 20;

/** One round. What fails for one tenant is tried again in a later round, and holds up no other. */
export async function sweepConnections(deps: ServiceDeps): Promise<void> {
  const { store, clock, log } = deps;
  const now = clock.now();
  const unattended = await store.withSystem('connection-sweep', async (tx) => {
    const keptSince = new Date(now - KEPT_MS);
    await sweepAuthorizations(tx, { now: new Date(now), keptSince, limit: SWEPT_AT_ONCE });
    return findUnattended(tx, { now: new Date(now), limit: TAKEN_AT_ONCE });
  });
  for (const key of unattended) {
    await goOn(deps, key).catch((error: unknown) =>
      log.warn('A connection whose process died could not be finished yet', {
        tenantId: key.tenantId,
        error: error instanceof Error ? error : undefined,
      }),
    );
  }
}

async function goOn(deps: ServiceDeps, key: AuthorizationKey): Promise<void> {
  const { store, keyring, clock } = deps;
  const { tenantId } = key;
  const now = clock.now();
  const authorization = await store.withTenant(tenantId, (tx) =>
    takeOver(tx, { ...key, now: new Date(now), attendedUntil: new Date(now + ATTENDED_MS) }),
  );
  if (authorization === null) return;
  // After it was taken over: where the KMS does not answer for a tenant, the next round begins with the others.
  const keys = await keyring.keysOf(tenantId);
  using sealer = await prepareCredentialSealer({ keyring, tenantId });
  const pair = openPair(keys, authorization);
  if (pair === null) {
    await interrupt(deps, keys, authorization);
    return;
  }
  const secrets = openSecrets(keys, authorization);
  const settling = { authorization, secrets, pair, sealer, call: null };
  const isTooOld = now - authorization.createdAt.getTime() > GIVE_UP_MS;
  await (isTooOld ? giveUp(deps, settling, 'INTERRUPTED') : settleConnection(deps, settling));
}

async function interrupt(
  deps: ServiceDeps,
  keys: TenantKeys,
  authorization: OpenAuthorization,
): Promise<void> {
  const ending = { status: 'FAILED', failure: 'INTERRUPTED', leftUntil: leftUntil(deps) } as const;
  await deps.store.withTenant(authorization.tenantId, (tx) =>
    endRecorded(tx, keys, authorization, { ...ending, at: new Date(deps.clock.now()) }, null),
  );
}
