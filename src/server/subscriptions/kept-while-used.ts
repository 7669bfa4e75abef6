/**
 * Values by name, each kept as long as somebody else holds it: many who ask for the same get one value, and
 * what nobody holds any more is not kept for them.
 */
export class KeptWhileUsed<Value extends object> {
  readonly #values = new Map<string, WeakRef<Value>>();
  readonly #gone = new FinalizationRegistry<string>((name) => {
    // Another value may have taken the place meanwhile.
    if (this.#values.get(name)?.deref() === undefined) this.#values.delete(name);
  });

  /** The value of `name`, or what `make` makes of it. What `make` throws is not kept. */
  get(name: string, make: () => Value): Value {
    const known = this.#values.get(name)?.deref();
    if (known !== undefined) return known;
    const made = make();
    this.#values.set(name, new WeakRef(made));
    this.#gone.register(made, name);
    return made;
  }
}
