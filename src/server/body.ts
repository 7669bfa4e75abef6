import type { IncomingMessage } from 'node:http';
import { type Bytes, concatBytes, SealdeskError } from '../base/index.ts';

/** Largest request body that is read: 1 MiB. */
export const MAX_BODY_BYTES = 1_048_576;

/** The whole body, or PAYLOAD_TOO_LARGE as soon as it is known to exceed {@link MAX_BODY_BYTES}. */
export async function readBody(request: IncomingMessage): Promise<Bytes> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_BODY_BYTES) throw tooLarge();
    parts.push(part);
  }
  return concatBytes(...parts);
}

function tooLarge(): SealdeskError {
  return new SealdeskError(
    'PAYLOAD_TOO_LARGE',
    `The request body is larger than ${MAX_BODY_BYTES} bytes. Send less.`,
    {
      subject: String(MAX_BODY_BYTES),
    },
  );
}
