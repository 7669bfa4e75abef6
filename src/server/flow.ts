/**
 * Whether the other side of a long-lived connection takes what is sent, told from what was handed to it and what
 * of that still waits.
 */
export class Flow {
  #handed = 0;
  #takenAtBeat = 0;
  #stalledBeats = 0;

  /** Notes that `size` more was handed over, in any unit, as long as it is about that of {@link beat}. */
  hand(size: number): void {
    this.#handed += size;
  }

  /** For how many beats nothing was taken, where `waiting` of what was handed over waits. Asked at every beat. */
  beat(waiting: number): number {
    const taken = this.#handed - waiting;
    const hasTaken = waiting === 0 || taken > this.#takenAtBeat;
    this.#takenAtBeat = taken;
    this.#stalledBeats = hasTaken ? 0 : this.#stalledBeats + 1;
    return this.#stalledBeats;
  }
}
