import type { Recipient } from '../access/index.ts';
import { type Purpose, type SealedEnvelope, type Suite, sealEnvelope } from '../envelope/index.ts';
import type { TenantKeys } from '../vault/index.ts';
import type { Call } from './call.ts';

export interface AnswerToSeal {
  readonly purpose: Purpose;
  readonly recipient: Pick<Recipient, 'keyId' | 'kemPublicKey'>;
  readonly auditEventId: string;
  /** JSON in UTF-8. */
  readonly plaintext: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly integrationId?: string;
  readonly operation?: string;
}

/** JSON, sealed to the recipient and bound to the call that it answers. */
export async function sealAnswer(
  suite: Suite,
  keys: TenantKeys,
  call: Call,
  answer: AnswerToSeal,
): Promise<SealedEnvelope> {
  const { recipient, integrationId, operation } = answer;
  const issuedAt = Math.floor(answer.now / 1000);
  const macBytes = keys.macKeyOf(recipient.keyId);
  try {
    return await sealEnvelope(suite, {
      claims: {
        purpose: answer.purpose,
        tenant_id: keys.tenantId,
        recipient_key_id: recipient.keyId,
        audit_event_id: answer.auditEventId,
        issued_at: issuedAt,
        content_type: 'application/json',
        request_target: call.requestTarget,
        request_sha256: call.requestSha256,
        ...(call.clientNonce === null ? {} : { client_nonce: call.clientNonce }),
        ...(integrationId === undefined ? {} : { integration_id: integrationId }),
        ...(operation === undefined ? {} : { operation }),
      },
      plaintext: answer.plaintext,
      recipient: suite.importKemPublicKey(recipient.kemPublicKey),
      signingKey: keys.signingKeyAt(issuedAt).handle,
      macKey: suite.importMacKey(macBytes),
    });
  } finally {
    macBytes.fill(0);
  }
}
