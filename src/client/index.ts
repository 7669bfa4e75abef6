/**
 * The client SDK, for browsers and for Node. No `node:` import is reachable from here, and every part is
 * usable without the others.
 *
 * Programs: `generateClientKey`, `registerClientKey`, `saveClientKey`, then `createClient` or `sealedFetch`;
 * in Node `clientKeyFromFile`. The primitives are the platform's own where it has them, and the portable
 * suite is loaded where it has not. Tools that handle key files pass a suite of `sealdesk/envelope`.
 */
export {
  type Clock,
  isSealdeskError,
  type PreviousValues,
  SealdeskError,
  TICKET_CHANGES,
  type TicketChangeContent,
  type TicketChangeKind,
  type TicketPositionContent,
  type TicketSnapshot,
} from '../base/index.ts';
export { EnvelopeOpenError, fingerprint } from '../envelope/index.ts';
export {
  type AcceptedWelcome,
  acceptWelcome,
  type WelcomedWithMac,
  type WelcomeExpectation,
  welcomeClientKey,
} from './accept-welcome.ts';
export type {
  AuditReceipt,
  ReceiptKey,
  VerifiedReceipt,
  VerifyReceiptInput,
} from './audit-receipt.ts';
export {
  type ClientKey,
  type FreshClientKey,
  generateClientKey,
  isNonExtractable,
  type WelcomedClientKey,
} from './client-key.ts';
export { clientKeyFromFile } from './client-key-from-file.ts';
export {
  type ClientOptions,
  createClient,
  type DecryptedEnvelope,
  type GraphqlRequestError,
  type RequestOptions,
  type RequestResult,
  type SealdeskClient,
} from './create-client.ts';
export type { TypedDocument } from './document-text.ts';
export { createEnvelopeOpener, type EnvelopeOpener, openWithKeyFile } from './envelope-opener.ts';
export { type FeedGap, FeedGapError, type FeedGapReason } from './feed/feed-gap.ts';
export { FeedIntegrityError, type FeedViolation } from './feed/feed-integrity-error.ts';
export {
  type FeedTransport,
  subscribeTicketChanges,
  type TicketChangesOptions,
} from './feed/subscribe-ticket-changes.ts';
export type { FeedState, SignedPosition, TicketChange, TicketChanges } from './feed/ticket-changes.ts';
export { callGateway, type GatewayConnection } from './gateway.ts';
export { GATEWAY_LIMITS, GatewayAnswerError } from './gateway-transport.ts';
export {
  createKeyFile,
  encodeKeyFile,
  type FreshKeyFile,
  importKeys,
  isWelcomed,
  type KeyFile,
  MAX_KEY_FILE_TEXT,
  parseKeyFile,
  parseKeyFileText,
  publicJwkSet,
  type WelcomedKeyFile,
  withPins,
} from './key-file.ts';
export type { LoginMode, LoginOptions } from './key-login.ts';
export type { SuccessionOptions } from './key-opener.ts';
export { deleteClientKey, loadClientKey, saveClientKey } from './key-store.ts';
export { type Expectation, openEnvelope, PIN_LIMITS, type PinningOptions } from './pinned-opener.ts';
export { printableLine, printableText } from './printable.ts';
export { ReceiptError, type ReceiptErrorCode } from './receipt-error.ts';
export {
  type ConfirmInput,
  confirmClientKey,
  confirmKey,
  type Registered,
  type RegisteredKeyFile,
  type RegisterInput,
  type RegisterKeyFileInput,
  registerClientKey,
  registerKeyFile,
} from './register.ts';
export {
  type RotateInput,
  type RotateKeyFileInput,
  rotateClientKey,
  rotateKeyFile,
} from './rotate.ts';
export { SEALED_HEADERS, type SealedFetchOptions, sealedFetch } from './sealed-fetch.ts';
export { verifyReceipt } from './verify-receipt.ts';
