/**
 * How much one GraphQL operation may read of Zendesk. What a document costs is reckoned before it runs,
 * from the sizes it names; how many pages a list has and how large they are shows only then.
 */
import { type JsonValue, SealdeskError } from '../../base/index.ts';

/** Calls for reads of one operation, whoever else shares them: a document leads to some 80, unless lists go on. */
export const MAX_READ_CALLS = 100;
/** What one operation holds of Zendesk's answers, in bytes as {@link weighJson} reckons them. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** An object or array, a member or element, and a number: about what they take in memory. */
const CONTAINER_BYTES = 32;
const VALUE_BYTES = 8;

export class ReadAllowance {
  readonly #maxCalls: number;
  readonly #maxBytes: number;
  #calls = 0;
  #bytes = 0;

  constructor({ maxCalls = MAX_READ_CALLS, maxBytes = MAX_HELD_BYTES } = {}) {
    this.#maxCalls = maxCalls;
    this.#maxBytes = maxBytes;
  }

  /** Counts `calls` that are about to be made. Throws QUERY_TOO_COMPLEX where they are too many. */
  takeCalls(calls: number): void {
    if (this.#calls + calls > this.#maxCalls) {
      throw tooMuch(`needs more than the ${this.#maxCalls} Zendesk calls that one operation may read with`);
    }
    this.#calls += calls;
  }

  /** Counts what is kept until the operation ends. Throws QUERY_TOO_COMPLEX where that is too much. */
  hold(value: JsonValue): void {
    const bytes = weighJson(value);
    if (this.#bytes + bytes > this.#maxBytes) {
      const mebibytes = Math.floor(this.#maxBytes / 2 ** 20);
      throw tooMuch(`reads more than the ${mebibytes} MiB that one operation may hold of Zendesk’s answers`);
    }
    this.#bytes += bytes;
  }
}

/** About how many bytes `value` takes in memory: its texts by their characters, and all that holds them. */
export function weighJson(value: JsonValue | undefined): number {
  if (typeof value === 'string') return VALUE_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  let bytes = CONTAINER_BYTES;
  for (const member of Array.isArray(value) ? value : Object.values(value)) bytes += weighJson(member);
  return bytes;
}

function tooMuch(what: string): SealdeskError {
  return new SealdeskError(
    'QUERY_TOO_COMPLEX',
    `The document ${what}. Ask for smaller pages or fewer objects, or send several documents.`,
  );
}
