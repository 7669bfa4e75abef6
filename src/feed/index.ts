/** The change feed's tables: who attends to a feed, what its sources told, and what was appended. */

export {
  type GoneHint,
  hasMarks,
  type MarkVersion,
  markTickets,
  type NewMark,
  postponeMarks,
  readDueMarks,
  readWaitingMarks,
  removeMarks,
  type TicketMark,
  type WaitingMarks,
} from './dirty-tickets.ts';
export {
  type Entry,
  insertEntries,
  MAX_ENTRY_PAGE,
  type NewEntry,
  type ReadingPlace,
  readEntries,
  readerName,
} from './entries.ts';
export {
  claimLease,
  type FeedLease,
  type LeaseClaim,
  LeaseLostError,
  lockHead,
  lockHeadsOfTenant,
  releaseLease,
  renewLease,
} from './lease.ts';
export {
  dropPositions,
  type Position,
  readCompleteUntil,
  readPositions,
  readTime,
  writePositions,
} from './positions.ts';
export { DEFAULT_RETENTION, type RetentionTerms, retireUnreadStreams, trimStreams } from './retention.ts';
export { putShownTickets, readShownTickets, removeShownTickets } from './shown-tickets.ts';
export {
  advanceExport,
  countAppended,
  disableFeed,
  type ExportStep,
  enableFeed,
  type Feed,
  type FeedEnabling,
  type FeedKey,
  type FeedWebhook,
  findFeedTenant,
  findUnattendedFeeds,
  noteFault,
  readFeed,
  webhookSecretLocation,
} from './source-state.ts';
export {
  closeStreamsOfLineage,
  findStream,
  listKeylessStreams,
  listOpenStreams,
  lockLog,
  MAX_OPEN_STREAMS,
  openStream,
  READ_TOUCH_MS,
  type Stream,
  type StreamKey,
  touchStreams,
} from './streams.ts';
export { type ReadTicket, readTicket } from './ticket-snapshot.ts';
export {
  goneVersion,
  type KnownTicket,
  orderOf,
  putVersions,
  readVersions,
  type TicketPlace,
  type TicketVersion,
  type VersionOrder,
} from './ticket-versions.ts';
export {
  decodeHint,
  type EventHint,
  encodeHint,
  mergeHints,
  parseWebhookEvent,
  SUBSCRIBED_EVENT_TYPES,
  type WebhookEvent,
} from './webhook-event.ts';
export {
  deleteInvocations,
  hasPending,
  hintLocation,
  insertInvocation,
  lastReceivedAt,
  type NewInvocation,
  type PendingInvocations,
  purgeInvocations,
  readPending,
  settleInvocations,
} from './webhook-invocations.ts';
export { isSignedBy, isTimely, SIGNATURE_WINDOW_MS, type SignedDelivery } from './webhook-signature.ts';
