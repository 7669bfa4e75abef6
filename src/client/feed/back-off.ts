/** How long to wait before the next attempt: longer with each that failed, spread by chance. */

export const BACK_OFF = Object.freeze({
  /** Milliseconds. */
  first: 1_000,
  longest: 30_000,
  /** Seconds that the gateway can ask for, at most: nobody signs that it asks. */
  longestAsked: 300,
});

/**
 * Milliseconds before attempt number `attempt` (1 is the first one after a failure): between half and the whole of
 * a time that doubles, beyond what the gateway asked for. `random` is in [0, 1).
 */
export function backOff(attempt: number, random: number, retryAfter = 0): number {
  const whole = Math.min(BACK_OFF.first * 2 ** (attempt - 1), BACK_OFF.longest);
  return Math.min(Math.max(retryAfter, 0), BACK_OFF.longestAsked) * 1000 + whole * (0.5 + random / 2);
}
