/**
 * How the other side of a long-lived connection keeps up, told from what was handed to it and what of that
 * still waits to be taken. One that takes nothing for long is stalled, whatever else it does; one that has
 * taken something since the last beat is alive.
 */
export class Flow {
  #handed = 0;
  #takenAtBeat = 0;
  #stalledBeats = 0;

  /** Notes that `size` more was handed over, in any unit, as long as it is that of {@link beat}. */
  hand(size: number): void {
    this.#handed += size;
  }

  /** How it stands, asked at every beat, where `waiting` of what was handed over waits. */
  beat(waiting: number): { readonly moved: boolean; readonly stalledBeats: number } {
    const taken = this.#handed - waiting;
    const moved = taken > this.#takenAtBeat;
    this.#takenAtBeat = taken;
    this.#stalledBeats = waiting === 0 || moved ? 0 : this.#stalledBeats + 1;
    return { moved, stalledBeats: this.#stalledBeats };
  }
}
