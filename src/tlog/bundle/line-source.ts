import type { BundleLine } from './bundle-line.ts';
import { BundleRefusal } from './bundle-verdict.ts';
import { parseBundleLine } from './parse-bundle-line.ts';

/** The lines of a bundle one after the other, of which one is read ahead. */
export class LineSource {
  readonly #lines: AsyncIterator<string>;
  #ahead: BundleLine | null = null;
  #isEnded = false;
  #count = 0;

  constructor(lines: AsyncIterable<string>) {
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** The lines taken so far: the number of the last one. */
  get count(): number {
    return this.#ahead === null ? this.#count : this.#count - 1;
  }

  /**
   * The next line, which stays the next one; `null` at the end. Throws BundleRefusal for what is no line;
   * `brokenIndex` is the event that should stand here.
   */
  async peek(brokenIndex: number | null = null): Promise<BundleLine | null> {
    if (this.#ahead !== null || this.#isEnded) return this.#ahead;
    const next = await this.#lines.next();
    if (next.done === true) {
      this.#isEnded = true;
      return null;
    }
    this.#count += 1;
    this.#ahead = parseBundleLine(next.value);
    if (this.#ahead === null) {
      throw new BundleRefusal('MALFORMED', { line: this.#count, brokenIndex });
    }
    return this.#ahead;
  }

  /** Takes the next line where it is of `type`; else leaves it and answers `null`. */
  async takeIf<Type extends BundleLine['type']>(
    type: Type,
    brokenIndex: number | null = null,
  ): Promise<Extract<BundleLine, { readonly type: Type }> | null> {
    const line = await this.peek(brokenIndex);
    if (line === null || !isOfType(line, type)) return null;
    this.#ahead = null;
    return line;
  }

  /** Takes the next line, which has to be of `type`. Throws BundleRefusal for another. */
  async take<Type extends BundleLine['type']>(
    type: Type,
  ): Promise<Extract<BundleLine, { readonly type: Type }>> {
    const line = await this.takeIf(type);
    if (line === null) throw await this.unexpected();
    return line;
  }

  /** That the next line is not the one that has to come. */
  async unexpected(): Promise<BundleRefusal> {
    const line = await this.peek();
    return line === null
      ? new BundleRefusal('TRUNCATED', { line: this.count })
      : new BundleRefusal('MALFORMED', { line: this.count + 1 });
  }

  /** Lets go of what the lines come from. */
  async close(): Promise<void> {
    await this.#lines.return?.();
  }
}

function isOfType<Type extends BundleLine['type']>(
  line: BundleLine,
  type: Type,
): line is Extract<BundleLine, { readonly type: Type }> {
  return line.type === type;
}
