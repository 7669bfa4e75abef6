/** The clocks of the access sync, in milliseconds. */
export interface SyncTimes {
  /** How long a lease holds unless it is renewed: how long a dead process stands in the way. */
  readonly lease: number;
  readonly renew: number;
  /** Between two looks for runs and schedules without a hint. */
  readonly scan: number;
  /** For which one job works on a run before it lets others have their turn. */
  readonly turn: number;
  /** After failures. */
  readonly backOff: { readonly least: number; readonly most: number };
  /** Between two sweeps of what was deleted. */
  readonly sweep: number;
}

export const DEFAULT_SYNC_TIMES: SyncTimes = Object.freeze({
  lease: 15_000,
  renew: 5_000,
  scan: 3_000,
  turn: 300_000,
  backOff: Object.freeze({ least: 5_000, most: 600_000 }),
  sweep: 3_600_000,
});
