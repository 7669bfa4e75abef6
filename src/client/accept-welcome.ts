/** Taking the welcome that answers a registration, for a key file and for a {@link ClientKey}. */
import { encodeBase64, SealdeskError } from '../base/index.ts';
import {
  type AwaitableSuite,
  type ClientPrivateKeys,
  macConfirmation,
  openWelcome,
  parseSigningKeys,
  type SigningKeyInfo,
  type Suite,
  type Welcome,
} from '../envelope/index.ts';
import {
  type ClientKey,
  openKem,
  openMac,
  openSigning,
  suiteOf,
  type WelcomedClientKey,
  withWelcomeOf,
} from './client-key.ts';
import { importKeys, isWelcomed, type KeyFile, type WelcomedKeyFile, withWelcome } from './key-file.ts';

/** What the owner of the key learned by another channel. */
export interface WelcomeExpectation {
  readonly tenantId?: string;
  /** Thumbprint of the gateway's signing key. Without it the first key seen is trusted. */
  readonly signingKid?: string;
  /** The pins of the key whose place the new one takes: nothing but these is then believed. */
  readonly signingKeys?: readonly SigningKeyInfo[];
}

export interface AcceptedWelcome {
  /** To be kept in place of the file that was given. */
  readonly keyFile: WelcomedKeyFile;
  /** Base64, 64 bytes: to be sent as `confirmClientKey(input: { keyId, mac })`. */
  readonly confirmationMac: string;
}

/** What is known of a key that was welcomed before. */
interface Earlier {
  readonly keyId: string;
  readonly pins: readonly SigningKeyInfo[] | null;
}

/** Opens the welcome and hands it to `use`, after which its MAC key is wiped. */
async function useWelcome<Result>(
  suite: AwaitableSuite,
  { kem, sig }: ClientPrivateKeys,
  earlier: Earlier | null,
  envelope: unknown,
  { signingKeys, ...expected }: WelcomeExpectation,
  use: (welcome: Welcome) => Result | Promise<Result>,
): Promise<readonly [Result, string]> {
  const pins = earlier?.pins ?? signingKeys ?? null;
  const { welcome } = await openWelcome(suite, envelope, {
    recipient: kem,
    sigKid: sig.kid,
    ...(pins === null ? {} : { trustedSigningKeys: pins }),
    ...expected,
  });
  try {
    if (earlier !== null && earlier.keyId !== welcome.keyId) {
      throw new SealdeskError(
        'CONFLICT',
        'This client key belongs to another registration; keep it and use a new key.',
      );
    }
    const mac = await macConfirmation(await suite.importMacKey(welcome.macKey), {
      tenant_id: welcome.tenantId,
      key_id: welcome.keyId,
      kem_kid: kem.kid,
      sig_kid: sig.kid,
    });
    return [await use(welcome), encodeBase64(mac)];
  } finally {
    welcome.macKey.fill(0);
  }
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
  const earlier = isWelcomed(file)
    ? { keyId: file.key_id, pins: parseSigningKeys(suite, file.signing_keys) }
    : null;
  const keys = importKeys(suite, file);
  const [keyFile, confirmationMac] = await useWelcome(suite, keys, earlier, envelope, expected, (welcome) =>
    withWelcome(file, welcome),
  );
  return { keyFile, confirmationMac };
}

export interface WelcomedWithMac {
  /** To be kept in place of the key that was given. */
  readonly clientKey: WelcomedClientKey;
  /** Base64, 64 bytes: to be sent as `confirmClientKey(input: { keyId, mac })`. */
  readonly confirmationMac: string;
}

/** {@link acceptWelcome} for a client key. */
export async function welcomeClientKey(
  key: ClientKey,
  envelope: unknown,
  expected: WelcomeExpectation = {},
): Promise<WelcomedWithMac> {
  const suite = await suiteOf(key);
  const keys = { kem: await openKem(suite, key), sig: await openSigning(suite, key) };
  const earlier = key.state === 'WELCOMED' ? { keyId: key.keyId, pins: key.signingKeys } : null;
  const [clientKey, confirmationMac] = await useWelcome(suite, keys, earlier, envelope, expected, (welcome) =>
    withWelcomeOf(suite, key, welcome),
  );
  return { clientKey, confirmationMac };
}

/** The confirmation of a welcomed key, base64: the same at every time, so it may be sent again. */
export async function confirmationOf(key: WelcomedClientKey): Promise<string> {
  const { tenantId, keyId, jwks } = key;
  const mac = await macConfirmation(await openMac(await suiteOf(key), key), {
    tenant_id: tenantId,
    key_id: keyId,
    kem_kid: jwks.keys[0].kid,
    sig_kid: jwks.keys[1].kid,
  });
  return encodeBase64(mac);
}
