/**
 * Places that callers take from one bounded stock, each no more than it leaves free: one alone gets half
 * of them, n callers get an (n + 1)th each, and as many stay free for the next. So nobody can shut
 * others out, and nothing is set aside for who never comes.
 */
export class Shares {
  readonly #size: number;
  readonly #taken = new Map<string | undefined, number>();
  #total = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** Whether `caller` may take one more; those without a name count as one. */
  hasFor(caller: string | undefined): boolean {
    return (this.#taken.get(caller) ?? 0) < this.#size - this.#total;
  }

  take(caller: string | undefined): void {
    this.#taken.set(caller, (this.#taken.get(caller) ?? 0) + 1);
    this.#total += 1;
  }

  /** One that it took. */
  giveBack(caller: string | undefined): void {
    const left = (this.#taken.get(caller) ?? 0) - 1;
    if (left > 0) this.#taken.set(caller, left);
    else this.#taken.delete(caller);
    this.#total -= 1;
  }
}
