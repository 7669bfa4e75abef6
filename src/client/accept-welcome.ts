import { encodeBase64, SealdeskError } from '../base/index.ts';
import { macConfirmation, openWelcome, parseSigningKeys, type Suite } from '../envelope/index.ts';
import { importKeys, isWelcomed, type KeyFile, type WelcomedKeyFile, withWelcome } from './key-file.ts';

/** What the owner of the key learned by another channel. */
export interface WelcomeExpectation {
  readonly tenantId?: string;
  /** Thumbprint of the gateway's signing key. Without it the first key seen is trusted. */
  readonly signingKid?: string;
}

export interface AcceptedWelcome {
  /** To be kept in place of the file that was given. */
  readonly keyFile: WelcomedKeyFile;
  /** Base64, 64 bytes: to be sent as `confirmClientKey(input: { keyId, mac })`. */
  readonly confirmationMac: string;
}

/**
 * Takes the welcome envelope that answers the registration of `file`, offline. A file that was
 * welcomed before accepts a welcome only under the same id and by a key that it pins. Throws
 * EnvelopeOpenError for a welcome that is not accepted, CONFLICT for one under another id.
 */
export async function acceptWelcome(
  suite: Suite,
  file: KeyFile,
  envelope: unknown,
  expected: WelcomeExpectation = {},
): Promise<AcceptedWelcome> {
  const { kem, sig } = importKeys(suite, file);
  const pins = isWelcomed(file) ? parseSigningKeys(suite, file.signing_keys) : null;
  const { welcome } = await openWelcome(suite, envelope, {
    recipient: kem,
    sigKid: sig.kid,
    ...(pins === null ? {} : { trustedSigningKeys: pins }),
    ...expected,
  });
  if (isWelcomed(file) && file.key_id !== welcome.keyId) {
    throw new SealdeskError(
      'CONFLICT',
      'This key file belongs to another registration; keep it and use a new key.',
    );
  }
  const mac = await macConfirmation(suite.importMacKey(welcome.macKey), {
    tenant_id: welcome.tenantId,
    key_id: welcome.keyId,
    kem_kid: kem.kid,
    sig_kid: sig.kid,
  });
  const keyFile = withWelcome(file, welcome);
  welcome.macKey.fill(0);
  return { keyFile, confirmationMac: encodeBase64(mac) };
}
