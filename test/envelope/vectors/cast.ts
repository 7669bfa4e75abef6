/** Who appears in the vectors: keys from fixed seeds, fixed ids, and the claims that are varied. */
import { type Bytes, encodeBase64Url, encodeUtf8 } from '../../../src/base/index.ts';
import type { SigningKeyInfo } from '../../../src/envelope/index.ts';
import { createFixedRecipient, createFixedSigner, fixedBytes, fixedId, suite } from './forge.ts';

export const ISSUED_AT = 1_765_000_000;

export const SEEDS = Object.freeze({
  kem: fixedBytes('recipient kem seed', 64),
  sig: fixedBytes('recipient sig seed', 32),
  otherKem: fixedBytes('other kem seed', 64),
  gateway: fixedBytes('gateway signing seed', 32),
  next: fixedBytes('next gateway signing seed', 32),
  stranger: fixedBytes('stranger signing seed', 32),
});

export const IDS = Object.freeze({
  tenant: fixedId('ten', 1),
  otherTenant: fixedId('ten', 2),
  key: fixedId('key', 1),
  otherKey: fixedId('key', 2),
  audit: fixedId('aud', 1),
  integration: fixedId('int', 1),
});

/** Everything that vectors are made with. */
export function createCast() {
  return {
    recipient: createFixedRecipient(SEEDS.kem),
    recipientSig: createFixedSigner(SEEDS.sig),
    otherRecipient: createFixedRecipient(SEEDS.otherKem),
    gateway: createFixedSigner(SEEDS.gateway),
    next: createFixedSigner(SEEDS.next),
    stranger: createFixedSigner(SEEDS.stranger),
    macKey: fixedBytes('mac key', 64),
  };
}

export type Cast = ReturnType<typeof createCast>;

export function describeKey(
  key: { kid: string; publicKey: Bytes },
  rest: Partial<SigningKeyInfo> = {},
): SigningKeyInfo {
  return {
    kid: key.kid,
    publicKey: key.publicKey,
    status: 'ACTIVE',
    notBefore: null,
    notAfter: null,
    ...rest,
  };
}

export const BASE_CLAIMS = Object.freeze({
  purpose: 'proxy.result',
  tenant_id: IDS.tenant,
  recipient_key_id: IDS.key,
  audit_event_id: IDS.audit,
  issued_at: ISSUED_AT,
  content_type: 'application/json',
} as const);

export const OPTIONAL_CLAIMS = Object.freeze({
  integration_id: IDS.integration,
  operation: 'list_tickets',
  request_target: 'POST /api/v2/proxy/outbound',
  request_sha256: encodeBase64Url(suite.sha256(encodeUtf8('{"integration_id":"…"}'))),
  client_nonce: encodeBase64Url(fixedBytes('client nonce', 16)),
});

export const FEED_CLAIMS = Object.freeze({ stream: `${IDS.integration}/${IDS.key}`, sequence: 42 });
