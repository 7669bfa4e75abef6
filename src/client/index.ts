/**
 * The client SDK, for browsers and for Node: keys made where they stay, registration, and opening
 * envelopes with a key file. The caller passes the suite (`src/envelope/node.ts` or `noble.ts`) and
 * `fetch`; no `node:` import is reachable from here.
 */
export { EnvelopeOpenError, fingerprint } from '../envelope/index.ts';
export { type AcceptedWelcome, acceptWelcome, type WelcomeExpectation } from './accept-welcome.ts';
export {
  createEnvelopeOpener,
  type EnvelopeOpener,
  type Expectation,
  openWithKeyFile,
} from './envelope-opener.ts';
export { callGateway, GATEWAY_LIMITS, GatewayAnswerError, type GatewayConnection } from './gateway.ts';
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
} from './key-file.ts';
export { printableLine, printableText } from './printable.ts';
export {
  type ConfirmInput,
  confirmClientKey,
  type Registered,
  type RegisterInput,
  registerClientKey,
} from './register.ts';
