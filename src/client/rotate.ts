/**
 * Rotating a client key over the network: a new key is made and kept beside the old one, proven by both, welcomed and
 * confirmed. Afterwards it is CONFIRMED; an ADMIN or OPERATOR still has to map it, and until then the old one is
 * what answers are sealed to (OVERLAP), or nothing is (STRICT). The welcome is believed only from a signing key that the
 * old key pins: nothing is trusted anew.
 */
import { encodeBase64, type JsonObject, SealdeskError } from '../base/index.ts';
import {
  parseSigningKeys,
  type RotationMode,
  type SigningKey,
  type Suite,
  signRotation,
} from '../envelope/index.ts';
import {
  type ClientKey,
  generateClientKey,
  openSigning,
  suiteOf,
  type WelcomedClientKey,
} from './client-key.ts';
import { callGateway, type GatewayConnection, pick } from './gateway.ts';
import {
  createKeyFile,
  type FreshKeyFile,
  importKeys,
  isWelcomed,
  type KeyFile,
  malformedPins,
  publicJwkSet,
  type WelcomedKeyFile,
} from './key-file.ts';
import {
  clientKeyRegistrant,
  enrol,
  type KeyRegistration,
  keyFileRegistrant,
  type Registered,
  type RegisteredKeyFile,
  type RegisterInput,
  type RegistrationInput,
} from './register.ts';

const ROTATE = `mutation SealdeskRotate($input: RotateClientKeyInput!) {
  rotateClientKey(input: $input) { clientKey { id status } welcome }
}`;

/** The key that gives way, as its successor's registration needs it. */
interface Predecessor {
  readonly tenantId: string;
  readonly keyId: string;
  readonly sig: SigningKey;
  readonly mode: RotationMode;
}

/** Asks for the welcome of a successor. */
async function requestRotation(
  connection: GatewayConnection,
  { tenantId, keyId, sig, mode }: Predecessor,
  kids: { readonly kem_kid: string; readonly sig_kid: string },
  registration: KeyRegistration,
): Promise<unknown> {
  const claim = { tenant_id: tenantId, old_key_id: keyId, mode, ...kids, issued_at: registration.issuedAt };
  const rotationProof = encodeBase64(await signRotation(sig, claim));
  const input: JsonObject = { ...registration, keyId, mode, rotationProof };
  return pick(await callGateway(connection, ROTATE, { input }), 'rotateClientKey', 'welcome');
}

export interface RotateKeyFileInput extends Omit<RegistrationInput, 'signingKid'> {
  /** Any API key of the tenant. */
  readonly apiKey: string;
  /** The key that gives way. It is not altered. */
  readonly keyFile: WelcomedKeyFile;
  /** STRICT stops it at once; OVERLAP when the successor is mapped. */
  readonly mode: RotationMode;
  /** The successor, where it was made before; a new one where left out. */
  readonly next?: FreshKeyFile;
  /**
   * Called with the successor before anything is sent, and with the welcomed one before it is confirmed: keep it
   * beside the old one each time, so that nothing is lost if a step fails. With what was kept the rotation goes on.
   */
  readonly keep: (keyFile: KeyFile) => Promise<void>;
}

/**
 * Rotates the key of a key file; what comes back is its successor, to be kept beside it until it is ACTIVE. Throws
 * what the calls throw (see `callGateway`), and EnvelopeOpenError for a welcome that is not accepted.
 */
export async function rotateKeyFile(suite: Suite, input: RotateKeyFileInput): Promise<RegisteredKeyFile> {
  const { keyFile, mode, next = createKeyFile(suite), keep } = input;
  const { tenant_id: tenantId, key_id: keyId } = keyFile;
  const pins = parseSigningKeys(suite, keyFile.signing_keys);
  if (pins === null) throw malformedPins();
  const old = { tenantId, keyId, mode, sig: importKeys(suite, keyFile).sig };
  const [kem, sig] = publicJwkSet(suite, next).keys;
  await keep(next);
  const { welcomed, status } = await enrol(
    keyFileRegistrant(suite, next, (file) => keep(withLogKeysOf(keyFile, file))),
    input,
    { tenantId, signingKeys: pins },
    (registration) => requestRotation(input, old, { kem_kid: kem.kid, sig_kid: sig.kid }, registration),
  );
  return { keyFile: withLogKeysOf(keyFile, welcomed.keyFile), status };
}

/** The keys of the audit log that were trusted with the old key are with its successor. */
function withLogKeysOf<File extends KeyFile>(old: WelcomedKeyFile, file: File): File {
  return old.log_keys === undefined || !isWelcomed(file) ? file : { ...file, log_keys: old.log_keys };
}

export interface RotateInput extends Omit<RegisterInput, 'url' | 'keep' | 'signingKid'> {
  /** Address of the gateway; that of the welcome where left out. */
  readonly url?: string;
  readonly mode: RotationMode;
  /** The successor, where it was made before; a new one where left out. */
  readonly next?: ClientKey;
  /**
   * Called with the successor before anything is sent, and with the welcomed one before it is confirmed: keep it
   * under another name than the old one (`(key) => saveClientKey(key, 'next')` fits).
   */
  readonly keep: (key: ClientKey) => unknown;
}

/**
 * {@link rotateKeyFile} for a client key. The successor is what `createClient` takes as `successor` beside the
 * old key. Throws CONFLICT where `next` was welcomed before: confirm it with `confirmKey`.
 */
export async function rotateClientKey(key: WelcomedClientKey, input: RotateInput): Promise<Registered> {
  const { url: gateway = key.gateway, fetch = globalThis.fetch, mode, keep } = input;
  const next = input.next ?? (await generateClientKey());
  if (next.state === 'WELCOMED') {
    throw new SealdeskError('CONFLICT', 'The successor was welcomed already: confirm it with confirmKey.');
  }
  const { tenantId, keyId, signingKeys } = key;
  const connection = { ...input, gateway, fetch };
  const old = { tenantId, keyId, mode, sig: await openSigning(await suiteOf(key), key) };
  const [kem, sig] = next.jwks.keys;
  await keep(next);
  const { welcomed, status } = await enrol(
    await clientKeyRegistrant(next, (made) => keep(withLogKeys(key, made))),
    connection,
    { tenantId, signingKeys },
    (registration) => requestRotation(connection, old, { kem_kid: kem.kid, sig_kid: sig.kid }, registration),
  );
  return { clientKey: withLogKeys(key, welcomed.clientKey), status };
}

function withLogKeys<Key extends ClientKey>({ logKeys }: WelcomedClientKey, key: Key): Key {
  return logKeys === undefined || key.state !== 'WELCOMED' ? key : { ...key, logKeys };
}
