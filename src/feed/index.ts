/** The change feed's tables: who attends to a feed, what its sources told, and what was appended. */
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
