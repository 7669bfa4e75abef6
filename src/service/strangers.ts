/** Requests that prove nothing, counted against the address that they came from. */
import { addressBucket, type InboundLimiter } from '../access/index.ts';

/** Requests a minute of one address without a valid key. */
const ANONYMOUS_PER_MINUTE = 60;

/** Counts a request that proved nothing against its address. Throws TOO_MANY_REQUESTS. */
export function takeForStranger(strangers: InboundLimiter, ip: string | null): void {
  strangers.take({ id: addressBucket(ip), requestsPerMinute: ANONYMOUS_PER_MINUTE });
}

/** Throws TOO_MANY_REQUESTS where the address has none left, before more is done for it than that. */
export function assertStrangerMayTry(strangers: InboundLimiter, ip: string | null): void {
  strangers.assertLeft({ id: addressBucket(ip), requestsPerMinute: ANONYMOUS_PER_MINUTE });
}
