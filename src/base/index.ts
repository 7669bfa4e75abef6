/** Ground that every room stands on: bytes, canonical JSON, ids, coded errors, and the ports for time and logs. No `node:` import. */
export {
  type Bytes,
  concatBytes,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  encodeUint64,
  encodeUtf8,
  equalBytes,
  parseBase64,
  parseBase64Url,
  parseUtf8,
} from './bytes.ts';
export { encodeCanonicalJson, type JsonObject, type JsonValue } from './canonical-json.ts';
export { type Clock, systemClock } from './clock.ts';
export { ERROR_CODES, type ErrorCode, type ErrorCodeRow, isErrorCode } from './error-codes.ts';
export {
  type ErrorDetails,
  type FieldIssue,
  isSealdeskError,
  type MutationOutcome,
  SealdeskError,
  type SealdeskErrorOptions,
} from './errors.ts';
export { encodeFeedCursor, type FeedPlace, parseFeedCursor, streamName } from './feed-cursor.ts';
export { createId, createUuid, ID_PREFIXES, type IdKind, isId, kindOfId } from './ids.ts';
export { type Log, type LogFields, silentLog } from './log.ts';
export {
  type PreviousValues,
  TICKET_CHANGES,
  type TicketChangeContent,
  type TicketChangeKind,
  type TicketPositionContent,
  type TicketSnapshot,
} from './ticket-change.ts';
export { unlessAborted } from './unless-aborted.ts';
