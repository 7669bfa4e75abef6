/** How the answer of a GraphQL operation will leave: settled before anything is executed. */
import {
  boundRecipient,
  chooseRecipient,
  isClientKeyTouchDue,
  type Recipient,
  touchClientKey,
} from '../access/index.ts';
import type { AuthenticatedCall, Delivery } from '../proxy/index.ts';
import type { ServiceDeps } from './service-deps.ts';

/**
 * Sealed where the caller asks for that, whatever the document selects; otherwise in the clear where the
 * API key was made so, else closed to what is of Zendesk. Rejects with the failures of `chooseRecipient`.
 */
export async function chooseDelivery(
  { store, clock }: Pick<ServiceDeps, 'store' | 'clock'>,
  { caller, recipientKeyId, acceptsSealedErrors: asksSealed }: AuthenticatedCall,
): Promise<Delivery> {
  if (!asksSealed) return { kind: caller.delivery === 'PLAINTEXT' ? 'PLAINTEXT' : 'NONE' };
  const { tenantId } = caller;
  const now = clock.now();
  const bound = boundRecipient(caller, recipientKeyId, now);
  if (bound !== null && !isClientKeyTouchDue(bound.lastUsedAt, now)) {
    return { kind: 'SEALED', recipient: bound };
  }
  const recipient = await store.withTenant(tenantId, async (tx): Promise<Recipient> => {
    const chosen = bound ?? (await chooseRecipient(tx, caller, recipientKeyId, now));
    await touchClientKey(tx, { tenantId, clientKeyId: chosen.keyId, now }, chosen.lastUsedAt);
    return chosen;
  });
  return { kind: 'SEALED', recipient };
}
