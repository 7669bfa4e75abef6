/** The clocks of plans, in milliseconds. */
export interface PlanTimes {
  /** From making a plan, and from its end, until nothing is left of it. */
  readonly life: number;
  /** How long a claim holds unless its holder goes on: how long a dead process stands in the way. */
  readonly lease: number;
  /** Between two looks for plans that nobody attends to. */
  readonly scan: number;
  /** Of a step that may succeed later, before the second try; then twice as long. */
  readonly pause: number;
}

export const DEFAULT_PLAN_TIMES: PlanTimes = Object.freeze({
  life: 86_400_000,
  lease: 60_000,
  scan: 10_000,
  pause: 1_000,
});
