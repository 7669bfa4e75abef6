/**
 * Whom no operation may lock out: the owner of the account, the person behind the credential, who would
 * cut the gateway off, and those that an integration of the account names for emergencies. Asked before
 * anything is sent.
 */
import { isSealdeskError, SealdeskError } from '../../base/index.ts';
import { beforeChange, type Call, type OperationContext } from './operation.ts';
import { idIn } from './user-fields.ts';

/** Whom Zendesk itself tells of; `null` where it does not. */
export interface AccountHolders {
  readonly ownerId: number | null;
  readonly connectedId: number | null;
}

/** Answers of these codes mean that the account does not tell who owns it. */
const UNTOLD = ['NOT_FOUND', 'UPSTREAM_FORBIDDEN'];

/** Two Zendesk calls. Rejects with the failures of Zendesk. */
export async function readAccountHolders(call: Call): Promise<AccountHolders> {
  const me = await call({ method: 'GET', path: '/api/v2/users/me.json' });
  return { connectedId: idIn(me.body, 'user'), ownerId: await readOwner(call) };
}

/** Throws OPERATION_NOT_ALLOWED where `userId` may not be locked out; Zendesk is asked each time. */
export async function assertMayLockOut(
  call: Call,
  userId: number,
  { guard }: OperationContext,
): Promise<void> {
  if (guard?.breakGlassIds.has(userId))
    throw guarded('is named for emergencies by an integration of this account');
  const { ownerId, connectedId } = await readAccountHolders(beforeChange(call));
  if (userId === connectedId) throw guarded('is the one whose credential the integration uses');
  if (userId === ownerId) throw guarded('owns the Zendesk account');
}

async function readOwner(call: Call): Promise<number | null> {
  try {
    const { body } = await call({ method: 'GET', path: '/api/v2/account.json' });
    return idIn(body, 'account', 'owner_id');
  } catch (error) {
    if (isSealdeskError(error) && UNTOLD.includes(error.code)) return null;
    throw error;
  }
}

function guarded(why: string): SealdeskError {
  return new SealdeskError(
    'OPERATION_NOT_ALLOWED',
    `Nothing was changed: this person ${why} and can be neither suspended nor given another role.`,
    { mutation: 'NOT_SENT' },
  );
}
