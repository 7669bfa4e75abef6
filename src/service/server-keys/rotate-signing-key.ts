/**
 * The signing key of a tenant, changed in either of two ways. *Announced*: the next key is published a day
 * before it signs, with the step to it signed by the present one, and every client follows by itself. *At
 * once*, because others may know the present key: that is revoked, nothing vouches for the next one, and
 * clients have to be welcomed or to pin anew.
 */
import { z } from 'zod';
import { holdTenant } from '../../access/index.ts';
import { createId, parseBase64, SealdeskError } from '../../base/index.ts';
import { signTransition } from '../../envelope/index.ts';
import { dropPositions } from '../../feed/index.ts';
import type { Call } from '../../proxy/index.ts';
import { notify, type Tx } from '../../store/index.ts';
import {
  insertSecretRows,
  insertSigningKey,
  makeTenantSecret,
  readSigningKeys,
  revokeSigningKeys,
  type SigningKeyRecord,
  settleSigningKeys,
  type TenantKeys,
} from '../../vault/index.ts';
import { idField, parseInput } from '../input.ts';
import type { ServiceDeps } from '../service-deps.ts';
import { changeKeys, KEY_MANAGERS } from './managed-tenant.ts';

/** Milliseconds. */
export const SIGNING_KEY_TIMES = Object.freeze({
  /** From publication until the new key signs. */
  notice: 86_400_000,
  /** Until it signs, in which it can be cancelled no more: processes may be about to sign with it. */
  cancelled: 600_000,
  /** How much earlier than its making a key signs that signs at once: clocks of processes differ. */
  skew: 300_000,
});

const TenantInput = z.object({ tenantId: z.string().nullish() });
const RotateInput = z.strictObject({ tenantId: idField('tenant').nullish(), now: z.boolean().nullish() });
const CancelInput = z.strictObject({ tenantId: idField('tenant').nullish() });

export interface SigningKeyView {
  readonly id: string;
  readonly kid: string;
  readonly version: number;
  readonly status: SigningKeyRecord['status'];
  readonly publishedAt: Date;
  readonly notBefore: Date;
  readonly notAfter: Date | null;
  /** The thumbprint of the key that vouches for it. */
  readonly succeeds: string | null;
}

export function toSigningKeyView(key: SigningKeyRecord): SigningKeyView {
  const { id, kid, version, status, publishedAt, notBefore, notAfter, step } = key;
  return { id, kid, version, status, publishedAt, notBefore, notAfter, succeeds: step?.fromKid ?? null };
}

/** Makes the next signing key. For ADMIN, and OPERATOR in any tenant. Rejects with CONFLICT while one is pending. */
export function rotateSigningKey(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly signingKey: SigningKeyView }> {
  const { store, kms, keyring, clock } = deps;
  const tenant = TenantInput.safeParse(input).data?.tenantId ?? null;
  const act = { action: 'signing-key.rotate', roles: KEY_MANAGERS, tenantId: tenant };
  return changeKeys(deps, call, act, async (step) => {
    const isAtOnce = parseInput(RotateInput, input).now === true;
    const { tenantId } = step;
    const now = clock.now();
    const keys = await keyring.keysOf(tenantId, { signal: call.signal });
    const known = await store.withTenant(tenantId, (tx) => readSigningKeys(tx, tenantId));
    const notBefore = beginningOf(isAtOnce, now);
    const { row, signingKey } = await makeTenantSecret({
      ...{ kms, suite: keyring.suite, tenantId, keyRef: keys.kmsKeyRef },
      purpose: 'envelope-signing',
      version: (known.at(-1)?.version ?? 0) + 1,
      now: notBefore,
      signal: call.signal,
    });
    if (signingKey === null) throw new TypeError('"makeTenantSecret" made no signing key');
    const next = {
      ...{ ...signingKey, id: createId('signingKey', now), tenantId, publishedAt: new Date(now) },
      step: isAtOnce ? null : await signStep(keys, signingKey.kid, notBefore, now),
    };
    const { made, revoked } = await step.commit(
      async (tx) => {
        await holdTenant(tx, tenantId);
        const settled = await settleSigningKeys(tx, tenantId, now);
        if (settled.at(-1)?.version !== next.version - 1) throw rotatedMeanwhile();
        const revoked = isAtOnce ? await revokePresent(tx, tenantId, settled, now) : [];
        if (next.step !== null) assertFollows(settled, next.step.fromKid);
        await insertSecretRows(tx, tenantId, [row]);
        const status = isAtOnce ? 'ACTIVE' : 'PENDING';
        const made = await insertSigningKey(tx, { ...next, status });
        await notify(tx, 'keys', tenantId);
        return { made, revoked };
      },
      ({ made, revoked }) => ({
        resource: made.id,
        alongside: revoked.map(({ id }) => ({ action: 'signing-key.revoke', resource: id })),
      }),
    );
    keyring.forget(tenantId);
    if (revoked.length > 0) deps.log.warn('The signing key of a tenant was revoked', { tenantId });
    return { signingKey: toSigningKeyView(made) };
  });
}

/** Takes back a key that does not sign yet. For ADMIN, and OPERATOR in any tenant. */
export function cancelSigningKeyRotation(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly signingKey: SigningKeyView }> {
  const tenant = TenantInput.safeParse(input).data?.tenantId ?? null;
  const act = { action: 'signing-key.cancel', roles: KEY_MANAGERS, tenantId: tenant };
  return changeKeys(deps, call, act, async (step) => {
    parseInput(CancelInput, input);
    const { tenantId } = step;
    const now = deps.clock.now();
    const cancelled = await step.commit(
      async (tx) => {
        await holdTenant(tx, tenantId);
        const settled = await settleSigningKeys(tx, tenantId, now);
        const pending = settled.find(({ status }) => status === 'PENDING');
        if (pending === undefined) {
          throw new SealdeskError('CONFLICT', 'No signing key is pending: there is nothing to cancel.');
        }
        if (pending.notBefore.getTime() - now < SIGNING_KEY_TIMES.cancelled) {
          throw new SealdeskError(
            'CONFLICT',
            'The pending key signs within ten minutes and can be cancelled no more. Rotate again when it signs.',
            { subject: pending.id },
          );
        }
        await revokeSigningKeys(tx, tenantId, [pending], new Date(now));
        await notify(tx, 'keys', tenantId);
        return { ...pending, status: 'REVOKED', notAfter: new Date(now) } as const;
      },
      ({ id }) => ({ resource: id }),
    );
    deps.keyring.forget(tenantId);
    return { signingKey: toSigningKeyView(cancelled) };
  });
}

/** In whole seconds, as clients compare it. */
function beginningOf(isAtOnce: boolean, now: number): Date {
  const time = isAtOnce ? now - SIGNING_KEY_TIMES.skew : now + SIGNING_KEY_TIMES.notice;
  return new Date(Math.ceil(time / 1000) * 1000);
}

async function signStep(
  keys: TenantKeys,
  toKid: string,
  notBefore: Date,
  now: number,
): Promise<{ readonly fromKid: string; readonly signature: Uint8Array<ArrayBuffer> }> {
  const { handle } = keys.signingKeyAt(Math.floor(now / 1000));
  const step = { tenantId: keys.tenantId, toKid, notBefore: notBefore.getTime() / 1000 };
  const { signature } = await signTransition(handle, step);
  const bytes = parseBase64(signature);
  if (bytes === null) throw new TypeError('"signTransition" gave no base64');
  return { fromKid: handle.kid, signature: bytes };
}

/** Throws CONFLICT unless the key `fromKid` is the one that signs, and no other is to follow it. */
function assertFollows(settled: readonly SigningKeyRecord[], fromKid: string): void {
  const pending = settled.find(({ status }) => status === 'PENDING');
  if (pending !== undefined) {
    throw new SealdeskError(
      'CONFLICT',
      `A signing key is pending and signs from ${pending.notBefore.toISOString()} on. Wait for it, or cancel it first.`,
      { subject: pending.id },
    );
  }
  if (settled.find(({ status }) => status === 'ACTIVE')?.kid !== fromKid) throw rotatedMeanwhile();
}

async function revokePresent(
  tx: Tx,
  tenantId: string,
  settled: readonly SigningKeyRecord[],
  now: number,
): Promise<readonly SigningKeyRecord[]> {
  const present = settled.filter(({ status }) => status === 'ACTIVE' || status === 'PENDING');
  await revokeSigningKeys(tx, tenantId, present, new Date(now));
  // Signed by the key that is revoked, they would be refused by whoever reads them next.
  await dropPositions(tx, tenantId);
  return present;
}

function rotatedMeanwhile(): SealdeskError {
  return new SealdeskError(
    'CONFLICT',
    'The signing keys were changed meanwhile. Look at them and decide again.',
  );
}
