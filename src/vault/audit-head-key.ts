import { type Bytes, encodeUtf8 } from '../base/index.ts';
import { hkdfExpandSha512, type Suite } from '../envelope/index.ts';

const LABEL = encodeUtf8('sealdesk/audit-head/v1');
const SIZE = 64;

/** The HMAC key of a tenant's audit head from its secret `mac-root`: 64 bytes, the caller's to wipe. */
export function deriveAuditHeadKey(suite: Suite, macRoot: Uint8Array): Bytes {
  return hkdfExpandSha512(suite, macRoot, LABEL, SIZE);
}
