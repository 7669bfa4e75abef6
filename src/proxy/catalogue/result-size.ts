/**
 * How large a result may be. Customers write most of what is in it, so the bound is ours: what is
 * larger than an envelope holds could not be answered at all.
 */
import { encodeUtf8, SealdeskError } from '../../base/index.ts';
import type { Operation } from './operation.ts';

/**
 * Bytes of a result as JSON in UTF-8. Half of what an envelope holds, so that the envelope itself, in
 * base64, still fits into another one.
 */
export const MAX_RESULT_BYTES = 8 * 1024 * 1024;

/** Fields that make a result smaller. */
const REDUCERS = ['per_page', 'max_comments'] as const;

/** Bytes of `value` as JSON in UTF-8. */
export function jsonBytes(value: unknown): number {
  return encodeUtf8(JSON.stringify(value)).length;
}

/** What is left of a result's bytes while it is put together. */
export class ResultBudget {
  #left: number;

  /** Of `bytes` in all, what `begun`, the result without its lists, leaves. */
  constructor(begun: unknown, bytes = MAX_RESULT_BYTES) {
    this.#left = bytes - jsonBytes(begun);
  }

  /** Takes the bytes of one more element of a list; `false`, and nothing taken, where it does not fit. */
  take(element: unknown): boolean {
    const bytes = jsonBytes(element) + 1;
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}

/**
 * Refuses a result of more than {@link MAX_RESULT_BYTES}: a list with VALIDATION_FAILED naming the
 * field to lower, what cannot be had smaller with PAYLOAD_TOO_LARGE.
 */
export function assertResultSize({ fields }: Pick<Operation<unknown>, 'fields'>, bytes: number): void {
  if (bytes <= MAX_RESULT_BYTES) return;
  const limit = `${MAX_RESULT_BYTES / 2 ** 20} MiB`;
  const path = REDUCERS.find((name) => Object.hasOwn(fields, name));
  if (path === undefined) {
    throw new SealdeskError(
      'PAYLOAD_TOO_LARGE',
      `The result is larger than ${limit} and cannot be answered.`,
    );
  }
  throw new SealdeskError(
    'VALIDATION_FAILED',
    `The result is larger than ${limit}. Ask for less with a lower ${path}.`,
    { fields: [{ path, message: 'must be lower for this result to fit' }] },
  );
}
