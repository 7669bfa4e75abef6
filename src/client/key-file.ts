/**
 * The key file: a client key with its private halves and, once the gateway welcomed it, everything
 * needed to open envelopes. Its owner keeps it readable to nobody else (0600); it is not encrypted.
 */
import { encodeBase64, isId, parseBase64, SealdeskError } from '../base/index.ts';
import {
  type ClientPrivateKeys,
  createClientJwks,
  encodePublicJwkSet,
  encodeSigningKeyJwk,
  HMAC_SHA_512,
  isGatewayUrl,
  ML_DSA_65,
  ML_KEM_768,
  type PrivateJwk,
  type PublicJwkSet,
  parsePrivateJwkSet,
  parsePrivateJwks,
  parseSigningKeys,
  type SigningKeyInfo,
  type SigningKeyJwk,
  type Suite,
  type Welcome,
} from '../envelope/index.ts';

/** Characters of a key file at most. */
export const MAX_KEY_FILE_TEXT = 128 * 1024;

/** A key that was made here and that no gateway has welcomed yet. */
export interface FreshKeyFile {
  readonly version: 1;
  readonly keys: readonly [PrivateJwk, PrivateJwk];
}

/** A key that a gateway welcomed, with what the welcome brought. */
export interface WelcomedKeyFile extends FreshKeyFile {
  /** Address of the gateway. */
  readonly gateway: string;
  readonly tenant_id: string;
  readonly key_id: string;
  /** Base64, 64 bytes. */
  readonly mac_key: string;
  /** The pins: signing keys whose envelopes are accepted. */
  readonly signing_keys: readonly SigningKeyJwk[];
  /** Verifier keys of the gateway's audit log, from the first receipt on that was verified. */
  readonly log_keys?: readonly string[];
}

export type KeyFile = FreshKeyFile | WelcomedKeyFile;

const FRESH = ['version', 'keys'];
const WELCOMED = [...FRESH, 'gateway', 'tenant_id', 'key_id', 'mac_key', 'signing_keys'];
/** May be there beside those of a welcome. */
const LOG_KEYS = 'log_keys';
const MAX_LOG_KEYS = 4;

function refuse(path: string, message: string): SealdeskError {
  return new SealdeskError('VALIDATION_FAILED', `The key file is not accepted: ${path} ${message}.`, {
    fields: [{ path, message }],
  });
}

/** A new key from the suite's generator. */
export function createKeyFile(suite: Suite): FreshKeyFile {
  return { version: 1, keys: createClientJwks(suite) };
}

export function isWelcomed(file: KeyFile): file is WelcomedKeyFile {
  return 'key_id' in file;
}

/** The private keys of `file`, ready for use. Throws VALIDATION_FAILED where they are not a key. */
export function importKeys(suite: Suite, file: KeyFile): ClientPrivateKeys {
  return parsePrivateJwkSet(suite, { keys: file.keys });
}

/** The public half: what is handed over. */
export function publicJwkSet(suite: Suite, file: KeyFile): PublicJwkSet {
  const { kem, sig } = importKeys(suite, file);
  return encodePublicJwkSet({
    kem: { alg: ML_KEM_768.alg, kid: kem.kid, publicKey: kem.publicKey },
    sig: { alg: ML_DSA_65.alg, kid: sig.kid, publicKey: sig.publicKey },
  });
}

/** The file with what `welcome` brought. */
export function withWelcome(file: KeyFile, welcome: Welcome): WelcomedKeyFile {
  return {
    version: 1,
    keys: file.keys,
    gateway: welcome.gatewayUrl,
    tenant_id: welcome.tenantId,
    key_id: welcome.keyId,
    mac_key: encodeBase64(welcome.macKey),
    signing_keys: welcome.signingKeys.map(encodeSigningKeyJwk),
  };
}

/** The file with other pins: those that a client came to trust since (`onPins`), of the audit log where there are any. */
export function withPins(
  file: WelcomedKeyFile,
  pins: readonly SigningKeyInfo[],
  logKeys?: readonly string[],
): WelcomedKeyFile {
  const signed = { ...file, signing_keys: pins.map(encodeSigningKeyJwk) };
  return logKeys === undefined ? signed : { ...signed, log_keys: logKeys };
}

/** What the welcome left in a file, all but the pins. */
type WelcomeMembers = Omit<WelcomedKeyFile, keyof FreshKeyFile | 'signing_keys' | 'log_keys'>;

/** A key file whose keys and pins are still as they were found. */
interface UnreadKeyFile {
  readonly keys: unknown;
  /** `null` in a fresh file. */
  readonly welcome: WelcomeMembers | null;
  readonly signingKeys: unknown;
  /** `null` where no receipt was verified. */
  readonly logKeys: readonly string[] | null;
}

export function malformedPins(): SealdeskError {
  return refuse('signing_keys', 'must be a list of ML-DSA-65 signing keys');
}

/** The members of a key file, all but keys and pins checked. Throws VALIDATION_FAILED. */
export function readKeyFileMembers(value: unknown): UnreadKeyFile {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refuse('the file', 'must be a JSON object');
  }
  const members: ReadonlyMap<string, unknown> = new Map(Object.entries(value));
  const expected = members.size > FRESH.length ? WELCOMED : FRESH;
  const missing = expected.find((member) => !members.has(member));
  if (missing !== undefined) throw refuse(missing, 'is missing');
  const optional = expected === WELCOMED && members.has(LOG_KEYS) ? 1 : 0;
  if (members.size > expected.length + optional) {
    throw refuse('the file', 'has members that this version does not know');
  }
  if (members.get('version') !== 1) throw refuse('version', 'must be 1');
  const keys = members.get('keys');
  if (expected === FRESH) return { keys, welcome: null, signingKeys: null, logKeys: null };

  const [gateway, tenantId, keyId, macKeyText] = ['gateway', 'tenant_id', 'key_id', 'mac_key'].map((name) =>
    members.get(name),
  );
  if (!isGatewayUrl(gateway)) throw refuse('gateway', 'must be a plain http or https address');
  if (!isId('tenant', tenantId)) throw refuse('tenant_id', 'must be the id of a tenant');
  if (!isId('clientKey', keyId)) throw refuse('key_id', 'must be the id of a client key');
  if (typeof macKeyText !== 'string' || parseBase64(macKeyText)?.length !== HMAC_SHA_512.key) {
    throw refuse('mac_key', `must be ${HMAC_SHA_512.key} bytes in base64`);
  }
  const welcome = { gateway, tenant_id: tenantId, key_id: keyId, mac_key: macKeyText };
  const logKeys = members.has(LOG_KEYS) ? parseLogKeys(members.get(LOG_KEYS)) : null;
  return { keys, welcome, signingKeys: members.get('signing_keys'), logKeys };
}

/** Whether they are verifier keys is said by who verifies with them. */
function parseLogKeys(value: unknown): readonly string[] {
  const isList =
    Array.isArray(value) &&
    value.length <= MAX_LOG_KEYS &&
    value.every((key) => typeof key === 'string' && key !== '');
  if (!isList) throw refuse(LOG_KEYS, 'must be a list of verifier keys');
  return value;
}

/**
 * The key file in `value`, parsed JSON. Throws VALIDATION_FAILED, naming the member, for anything but
 * a fresh or a whole welcomed file; `pub` of each key is recomputed from its seed and compared.
 */
export function parseKeyFile(suite: Suite, value: unknown): KeyFile {
  const { keys, welcome, signingKeys, logKeys } = readKeyFileMembers(value);
  const fresh: FreshKeyFile = { version: 1, keys: parsePrivateJwks(suite, { keys }) };
  if (welcome === null) return fresh;
  const pins = parseSigningKeys(suite, signingKeys);
  if (pins === null) throw malformedPins();
  const file = { ...fresh, ...welcome, signing_keys: pins.map(encodeSigningKeyJwk) };
  return logKeys === null ? file : { ...file, log_keys: logKeys };
}

/** {@link parseKeyFile} for the text of a file. */
export function parseKeyFileText(suite: Suite, text: string): KeyFile {
  return parseKeyFile(suite, parseKeyFileJson(text));
}

/** The JSON value in the text of a key file. Throws VALIDATION_FAILED where it is too long or no JSON. */
export function parseKeyFileJson(text: string): unknown {
  if (text.length > MAX_KEY_FILE_TEXT)
    throw refuse('the file', `must be at most ${MAX_KEY_FILE_TEXT} characters`);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which holds private keys.
    throw refuse('the file', 'must be JSON');
  }
}

/** The text to write, members in the order of the format. Holds private keys. */
export function encodeKeyFile(file: KeyFile): string {
  return `${JSON.stringify(file, null, 2)}\n`;
}
