/**
 * Loss, repetition and disorder on demand. What happens to the n-th event due is decided by the seed and n
 * alone: every event takes the same number of draws, whatever comes of them.
 */
import { createRandom, mixSeed, type Random } from './random.ts';

export interface DisturbanceOptions {
  /** Share of events (0 to 1) that are never sent. */
  readonly loss?: number;
  /** Share of events sent twice: half of them as the same invocation, half as another of the same event. */
  readonly duplicate?: number;
  /** Share of events held back until up to 16 later ones have been queued before them. */
  readonly disorder?: number;
  readonly seed?: number;
}

/** One sending of an event. */
export interface Sending {
  readonly duplicate: boolean;
  /** Whether a duplicate comes under the invocation id of the first. */
  readonly sameInvocation: boolean;
  /** How many later events go first; 0 = none. */
  readonly heldFor: number;
}

const MAX_HELD_FOR = 16;

const assertShare = (name: string, value: number): void => {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`"${name}" must be from 0 to 1, got ${value}`);
};

export class Disturbance {
  readonly options: Required<DisturbanceOptions>;
  readonly #random: Random;

  /** Throws RangeError on a share outside 0 to 1. */
  constructor(options: DisturbanceOptions) {
    const { loss = 0, duplicate = 0, disorder = 0, seed = 1 } = options;
    assertShare('loss', loss);
    assertShare('duplicate', duplicate);
    assertShare('disorder', disorder);
    this.options = { loss, duplicate, disorder, seed };
    this.#random = createRandom(mixSeed(seed, 977));
  }

  /** The sendings of the next event; none when it is lost. */
  draw(): readonly Sending[] {
    const { loss, duplicate, disorder } = this.options;
    const random = this.#random;
    const lost = random.chance(loss);
    const twice = random.chance(duplicate);
    const sameInvocation = random.chance(0.5);
    const hold = (): number => {
      const held = random.chance(disorder);
      const places = 1 + random.below(MAX_HELD_FOR);
      return held ? places : 0;
    };
    const first: Sending = { duplicate: false, sameInvocation: true, heldFor: hold() };
    const second: Sending = { duplicate: true, sameInvocation, heldFor: hold() };
    if (lost) return [];
    return twice ? [first, second] : [first];
  }
}
