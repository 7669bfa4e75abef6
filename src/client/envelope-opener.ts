/** Opening with a key file: its private keys, its MAC key and its pins. */
import { parseBase64, SealdeskError } from '../base/index.ts';
import { type OpenedEnvelope, openEnvelope, parseSigningKeys, type Suite } from '../envelope/index.ts';
import { importKeys, isWelcomed, type KeyFile } from './key-file.ts';
import { claimedHeader, type Expectation } from './pinned-opener.ts';

/** Keys imported once, to open many envelopes. */
export interface EnvelopeOpener {
  readonly keyId: string;
  readonly tenantId: string;
  /** Throws EnvelopeOpenError for whatever is not accepted; see `openEnvelope`. */
  open(envelope: unknown, expected?: Expectation): Promise<OpenedEnvelope>;
}

/**
 * An opener over `file` and, while its key is rotated, over that of its `successor`: envelopes sealed to either are
 * opened. Throws VALIDATION_FAILED where a file holds no usable key, and CONFLICT where no gateway has welcomed it yet.
 */
export function createEnvelopeOpener(suite: Suite, file: KeyFile, successor?: KeyFile): EnvelopeOpener {
  const own = openKeyFile(suite, file);
  if (successor === undefined) return own;
  const next = openKeyFile(suite, successor);
  return Object.freeze<EnvelopeOpener>({
    ...own,
    open: (envelope, expected) => {
      const isForNext = claimedHeader(envelope)?.recipient_key_id === next.keyId;
      return (isForNext ? next : own).open(envelope, expected);
    },
  });
}

function openKeyFile(suite: Suite, file: KeyFile): EnvelopeOpener {
  if (!isWelcomed(file)) {
    throw new SealdeskError(
      'CONFLICT',
      'This key has not been welcomed by a gateway: register it or accept its welcome.',
    );
  }
  const { kem } = importKeys(suite, file);
  const pins = parseSigningKeys(suite, file.signing_keys);
  const macKeyBytes = parseBase64(file.mac_key);
  if (pins === null || macKeyBytes === null) {
    throw new SealdeskError(
      'VALIDATION_FAILED',
      'The key file is not accepted: mac_key or signing_keys is malformed.',
    );
  }
  const macKey = suite.importMacKey(macKeyBytes);
  macKeyBytes.fill(0);
  const own = { tenant_id: file.tenant_id, recipient_key_id: file.key_id };
  return Object.freeze<EnvelopeOpener>({
    keyId: file.key_id,
    tenantId: file.tenant_id,
    open: (envelope, expected = {}) =>
      openEnvelope(suite, envelope, {
        recipient: kem,
        macKey,
        trustedSigningKeys: pins,
        expected: { ...expected, ...own },
      }),
  });
}

/** Opens one envelope. For many, keep a {@link createEnvelopeOpener}. */
export async function openWithKeyFile(
  suite: Suite,
  file: KeyFile,
  envelope: unknown,
  expected?: Expectation,
): Promise<OpenedEnvelope> {
  return createEnvelopeOpener(suite, file).open(envelope, expected);
}
