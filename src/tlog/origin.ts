/**
 * The origin of a tenant's log: `sealdesk/{tenantId}`, and `sealdesk/{tenantId}/{epoch}` from the second
 * epoch on, which begins when an operator accepts a log that was restored from a backup. A log of another
 * epoch is another log: nothing makes its checkpoints agree with those of the epoch before.
 */
import { isId } from '../base/index.ts';

export interface LogName {
  readonly tenantId: string;
  /** From 1. */
  readonly epoch: number;
}

/** Epochs that a log can have. */
export const MAX_EPOCH = 999_999_999;

const EPOCH = /^[1-9][0-9]{0,8}$/;

/** RangeError unless it is a tenant's id and an epoch from 1. */
export function encodeOrigin({ tenantId, epoch }: LogName): string {
  if (!isId('tenant', tenantId)) throw new RangeError('"tenantId" must be a tenant id');
  if (!Number.isSafeInteger(epoch) || epoch < 1 || epoch > MAX_EPOCH) {
    throw new RangeError(`"epoch" must be an integer from 1 to ${MAX_EPOCH}, got ${epoch}`);
  }
  return epoch === 1 ? `sealdesk/${tenantId}` : `sealdesk/${tenantId}/${epoch}`;
}

/** The tenant and epoch of `origin`, or `null` unless it is exactly what {@link encodeOrigin} writes. */
export function parseOrigin(origin: string): LogName | null {
  const [sealdesk, tenantId, epochText, ...more] = origin.split('/');
  if (sealdesk !== 'sealdesk' || !isId('tenant', tenantId) || more.length > 0) return null;
  if (epochText === undefined) return Object.freeze({ tenantId, epoch: 1 });
  if (epochText === '1' || !EPOCH.test(epochText)) return null;
  return Object.freeze({ tenantId, epoch: Number(epochText) });
}
