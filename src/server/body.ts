import type { IncomingMessage } from 'node:http';
import { type Bytes, concatBytes, SealdeskError } from '../base/index.ts';

/** Largest request body that is read: 1 MiB. */
export const MAX_BODY_BYTES = 1_048_576;
/**
 * What is left of a body that was refused is read and dropped up to this size, since a sender that is
 * still sending when its connection closes may never see the answer.
 */
const MAX_DROPPED_BYTES = 16 * MAX_BODY_BYTES;

export interface ReadBody {
  /** Empty where it was refused. */
  readonly body: Bytes;
  /** PAYLOAD_TOO_LARGE for a body of more than {@link MAX_BODY_BYTES}. */
  readonly refusal: SealdeskError | null;
}

/** The whole body, of which never more than {@link MAX_BODY_BYTES} is held. Rejects where the sender breaks off. */
export async function readBody(request: IncomingMessage): Promise<ReadBody> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (Number(request.headers['content-length'] ?? 0) > MAX_DROPPED_BYTES) return refused();
  for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_DROPPED_BYTES) break;
    if (length > MAX_BODY_BYTES) parts.length = 0;
    else parts.push(part);
  }
  return length > MAX_BODY_BYTES ? refused() : { body: concatBytes(...parts), refusal: null };
}

function refused(): ReadBody {
  const refusal = new SealdeskError(
    'PAYLOAD_TOO_LARGE',
    `The request body is larger than ${MAX_BODY_BYTES} bytes. Send less.`,
    { subject: String(MAX_BODY_BYTES) },
  );
  return { body: new Uint8Array(), refusal };
}
