/** Most characters of texts that are kept for others who may ask for the same. */
const MAX_KEPT_CHARACTERS = 33_554_432;

/** What was written of an event, `null` once it is not kept any more. */
export interface KeptText {
  text: string | null;
}

interface Entry {
  readonly kept: WeakRef<KeptText>;
  readonly characters: number;
}

/**
 * The texts of all plans together. A text is held by its event, so it goes no later than that; here is only how
 * much there is, and where that is too much the oldest are let go, and written again for who still asks.
 */
export class KeptTexts {
  readonly #max: number;
  readonly #entries = new Set<Entry>();
  #characters = 0;

  constructor(maxCharacters: number = MAX_KEPT_CHARACTERS) {
    this.#max = maxCharacters;
  }

  /** Notes `text` as kept. Who wants it to be kept holds what is returned. */
  keep(text: string): KeptText {
    const kept: KeptText = { text };
    this.#entries.add({ kept: new WeakRef(kept), characters: text.length });
    this.#characters += text.length;
    for (const oldest of this.#entries) {
      if (this.#characters <= this.#max) break;
      this.#entries.delete(oldest);
      this.#characters -= oldest.characters;
      const past = oldest.kept.deref();
      if (past !== undefined) past.text = null;
    }
    return kept;
  }
}
