const FADING_MS = 2_000;

/** How often something happened lately: an average that fades within seconds. */
export class RecentRate {
  #level = 0;
  #at = 0;

  add(now: number): void {
    this.#level = this.#levelAt(now) + 1;
    this.#at = now;
  }

  /** Times a second. */
  at(now: number): number {
    return (this.#levelAt(now) * 1000) / FADING_MS;
  }

  #levelAt(now: number): number {
    return this.#level * Math.exp(-Math.max(0, now - this.#at) / FADING_MS);
  }
}
