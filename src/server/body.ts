import type { IncomingMessage } from 'node:http';
import { type Bytes, concatBytes, SealdeskError } from '../base/index.ts';

/** Largest request body that is read: 1 MiB. */
export const MAX_BODY_BYTES = 1_048_576;
/** Bytes of unfinished bodies that are held at once, of all connections together. */
export const MAX_HELD_BYTES = 64 * MAX_BODY_BYTES;
/**
 * What is left of a body that was refused is read and dropped up to this size, since a sender that is
 * still sending when its connection closes may never see the answer.
 */
const MAX_DROPPED_BYTES = 16 * MAX_BODY_BYTES;
const RETRY_AFTER_SECONDS = 5;

export interface ReadBody {
  /** Empty where it was refused. */
  readonly body: Bytes;
  /** PAYLOAD_TOO_LARGE or TOO_MANY_REQUESTS, `null` for a body that was read. */
  readonly refusal: SealdeskError | null;
}

/** Reads the whole body of a request. Rejects where the sender breaks off. */
export type BodyReader = (request: IncomingMessage) => Promise<ReadBody>;

/**
 * A reader for all connections of a server. Of one body it holds at most {@link MAX_BODY_BYTES}, of
 * all that are still coming `maxHeldBytes`: many slow senders are refused, not stored.
 */
export function createBodyReader(maxHeldBytes: number = MAX_HELD_BYTES): BodyReader {
  let heldByAll = 0;

  return async (request) => {
    if (Number(request.headers['content-length'] ?? 0) > MAX_DROPPED_BYTES) return refused(tooLarge());
    let parts: Uint8Array[] = [];
    let length = 0;
    let held = 0;
    let refusal: SealdeskError | null = null;
    const drop = (reason: SealdeskError): void => {
      refusal ??= reason;
      parts = [];
      heldByAll -= held;
      held = 0;
    };
    try {
      for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
        length += part.length;
        if (length > MAX_DROPPED_BYTES) break;
        if (length > MAX_BODY_BYTES) drop(tooLarge());
        else if (heldByAll + part.length > maxHeldBytes) drop(tooMuchAtOnce());
        if (refusal !== null) continue;
        parts.push(part);
        held += part.length;
        heldByAll += part.length;
      }
      return refusal === null ? { body: concatBytes(...parts), refusal } : refused(refusal);
    } finally {
      heldByAll -= held;
    }
  };
}

function refused(refusal: SealdeskError): ReadBody {
  return { body: new Uint8Array(), refusal };
}

function tooLarge(): SealdeskError {
  return new SealdeskError(
    'PAYLOAD_TOO_LARGE',
    `The request body is larger than ${MAX_BODY_BYTES} bytes. Send less.`,
    { subject: String(MAX_BODY_BYTES) },
  );
}

function tooMuchAtOnce(): SealdeskError {
  return new SealdeskError(
    'TOO_MANY_REQUESTS',
    `The gateway is reading as many requests as it can hold. Wait ${RETRY_AFTER_SECONDS} s.`,
    { retryAfter: RETRY_AFTER_SECONDS },
  );
}
