/**
 * The transcript that both signatures are made over: everything that the recipient gets, each part
 * with its length, so that no two envelopes share one.
 */
import { type Bytes, concatBytes, encodeUint64, encodeUtf8 } from '../base/index.ts';

/** HPKE `info`, first bytes of the transcript and FIPS 204 context of an envelope's signature. */
export const ENVELOPE_CONTEXT = encodeUtf8('sealdesk/envelope/v1');

export interface TranscriptParts {
  readonly protectedHeader: Uint8Array;
  readonly enc: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** `sealdesk/envelope/v1` ‖ 0x00 ‖ per part its length as 8 bytes, most significant first ‖ the part. */
export function encodeTranscript(parts: TranscriptParts): Bytes {
  const framed = [parts.protectedHeader, parts.enc, parts.nonce, parts.ciphertext];
  return concatBytes(
    ENVELOPE_CONTEXT,
    Uint8Array.of(0x00),
    ...framed.flatMap((part) => [encodeUint64(part.length), part]),
  );
}
