/**
 * Writes down what has come about by time alone: that a pending signing key signs and its predecessor does
 * not. A while later the seed of that is destroyed. Nobody waits for either: see src/vault/signing-keys.ts.
 */
import { holdTenant } from '../../access/index.ts';
import {
  destroyRetiredSeeds,
  findUnsettledTenants,
  readSigningKeys,
  settleSigningKeys,
} from '../../vault/index.ts';
import { appendEvents } from '../record-event.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { rotationEvent } from './system-event.ts';

/** How long a seed outlives its last signature: clocks of processes differ, and one may be behind. Milliseconds. */
export const SEED_GRACE = 600_000;
const MAX_TENANTS = 100;

type SettleDeps = Pick<ServiceDeps, 'store' | 'keyring' | 'clock' | 'log'>;

/** Resolves to how many tenants were settled. Safe from any number of processes. */
export async function settleAllSigningKeys(deps: SettleDeps): Promise<number> {
  const now = deps.clock.now();
  const due = { now: new Date(now), before: new Date(now - SEED_GRACE), limit: MAX_TENANTS };
  const tenants = await deps.store.withSystem('key-rotation', (tx) => findUnsettledTenants(tx, due));
  for (const tenantId of tenants) {
    await settle(deps, tenantId, now).catch((error: unknown) =>
      deps.log.warn('The signing keys of a tenant could not be settled', {
        tenantId,
        error: error instanceof Error ? error : undefined,
      }),
    );
  }
  return tenants.length;
}

async function settle({ store, keyring }: SettleDeps, tenantId: string, now: number): Promise<void> {
  const keys = await keyring.keysOf(tenantId);
  await store.withTenant(tenantId, async (tx) => {
    await holdTenant(tx, tenantId);
    const stored = await readSigningKeys(tx, tenantId);
    const settled = await settleSigningKeys(tx, tenantId, now);
    const events = settled.flatMap(({ id, status }, index) =>
      status === 'ACTIVE' && stored[index]?.status === 'PENDING'
        ? [rotationEvent('signing-key.begin', id, now)]
        : [],
    );
    if (await destroyRetiredSeeds(tx, tenantId, new Date(now - SEED_GRACE))) {
      events.push(rotationEvent('signing-key.destroy', tenantId, now));
    }
    if (events.length > 0) await appendEvents(tx, tenantId, keys.auditHeadKey(), events);
  });
  keyring.forget(tenantId);
}
