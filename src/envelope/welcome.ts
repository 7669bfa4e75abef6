/**
 * The welcome: the first envelope to a new client key (purpose `key.welcome`, and only it). It brings
 * the MAC key and the signing keys that every later envelope is verified with, so it can be verified
 * with nothing but what is inside it, unless the opener already knows the signing key.
 *
 * That is trust on first use: without a signing key known from elsewhere it proves that the sealer
 * knew this client key's public half, no more. Compare the fingerprint of the signing key by another
 * channel where that matters.
 */
import {
  type Bytes,
  encodeBase64,
  encodeCanonicalJson,
  equalBytes,
  isId,
  parseBase64,
  parseUtf8,
} from '../base/index.ts';
import { HMAC_SHA_512 } from './algorithms.ts';
import { type ParsedEnvelope, parseEnvelope } from './envelope.ts';
import { ENVELOPE_LIMITS } from './limits.ts';
import { EnvelopeOpenError } from './open-error.ts';
import type { ProtectedHeader } from './protected-header.ts';
import { awaitSigningKeys, encodeSigningKeyJwk, type SigningKeyInfo } from './signing-keys.ts';
import { parseJson, parseMembers } from './strict-object.ts';
import type { AwaitableSuite, KemPrivateKey } from './suite.ts';
import { isSha256Text } from './thumbprint.ts';
import { encodeTranscript } from './transcript.ts';
import { checkMac, checkSignature, decrypt } from './verify.ts';

export interface Welcome {
  readonly keyId: string;
  readonly tenantId: string;
  /** Where the gateway is reached: http or https, without credentials, query and fragment. */
  readonly gatewayUrl: string;
  /** 64 bytes. */
  readonly macKey: Bytes;
  readonly kemKid: string;
  readonly sigKid: string;
  readonly signingKeys: readonly SigningKeyInfo[];
}

const MEMBERS = ['key_id', 'tenant_id', 'gateway_url', 'mac_key', 'kem_kid', 'sig_kid', 'signing_keys'];

/** Whether `value` is the address of a gateway as a welcome and a key file hold it. */
export function isGatewayUrl(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > ENVELOPE_LIMITS.maxGatewayUrl || !URL.canParse(value))
    return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return (
    /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '' && !/[?#\s]/.test(value)
  );
}

/** The RFC 8785 bytes that a welcome seals. Throws RangeError for what is no welcome. */
export function encodeWelcome(welcome: Welcome): Bytes {
  const { keyId, tenantId, gatewayUrl, macKey, kemKid, sigKid, signingKeys } = welcome;
  if (macKey.length !== HMAC_SHA_512.key) {
    throw new RangeError(`"macKey" must be ${HMAC_SHA_512.key} bytes, got ${macKey.length}`);
  }
  if (!isGatewayUrl(gatewayUrl)) throw new RangeError('"gatewayUrl" must be a plain http or https address');
  if (
    !isId('clientKey', keyId) ||
    !isId('tenant', tenantId) ||
    !isSha256Text(kemKid) ||
    !isSha256Text(sigKid)
  ) {
    throw new RangeError('"welcome" must name a client key, a tenant and two thumbprints');
  }
  if (signingKeys.length < 1 || signingKeys.length > ENVELOPE_LIMITS.maxSigningKeys) {
    throw new RangeError(
      `"signingKeys" must be 1 to ${ENVELOPE_LIMITS.maxSigningKeys}, got ${signingKeys.length}`,
    );
  }
  return encodeCanonicalJson({
    key_id: keyId,
    tenant_id: tenantId,
    gateway_url: gatewayUrl,
    mac_key: encodeBase64(macKey),
    kem_kid: kemKid,
    sig_kid: sigKid,
    signing_keys: signingKeys.map((key) => ({ ...encodeSigningKeyJwk(key) })),
  });
}

/** The welcome whose canonical encoding `bytes` is, or `null`. */
export async function parseWelcome(
  suite: Pick<AwaitableSuite, 'sha256'>,
  bytes: Uint8Array,
): Promise<Welcome | null> {
  if (bytes.length > ENVELOPE_LIMITS.maxWelcome) return null;
  const members = parseMembers(parseJson(parseUtf8(bytes)), MEMBERS);
  const signingKeys = await awaitSigningKeys(suite, members?.['signing_keys']);
  if (members === null || signingKeys === null) return null;
  const { key_id, tenant_id, gateway_url, mac_key, kem_kid, sig_kid } = members;
  const macKey = typeof mac_key === 'string' ? parseBase64(mac_key) : null;
  if (macKey?.length !== HMAC_SHA_512.key || !isGatewayUrl(gateway_url)) return null;
  if (!isId('clientKey', key_id) || !isId('tenant', tenant_id)) return null;
  if (!isSha256Text(kem_kid) || !isSha256Text(sig_kid)) return null;
  const welcome: Welcome = Object.freeze({
    keyId: key_id,
    tenantId: tenant_id,
    gatewayUrl: gateway_url,
    macKey,
    kemKid: kem_kid,
    sigKid: sig_kid,
    signingKeys,
  });
  return equalBytes(encodeWelcome(welcome), bytes) ? welcome : null;
}

export interface OpenWelcomeInput {
  readonly recipient: KemPrivateKey;
  /** Thumbprint of the ML-DSA half of the client key that was registered. */
  readonly sigKid: string;
  /** Where the opener knows them: nothing but these is then believed, and the signature is verified before decrypting. */
  readonly trustedSigningKeys?: readonly SigningKeyInfo[];
  /** Where the opener knows it (compared out of band): thumbprint of the key that must have signed. */
  readonly signingKid?: string;
  /** Where the opener knows it: the tenant it registered with. */
  readonly tenantId?: string;
}

function isForHeader(welcome: Welcome, header: ProtectedHeader): boolean {
  return (
    welcome.keyId === header.recipient_key_id &&
    welcome.tenantId === header.tenant_id &&
    welcome.kemKid === header.recipient_kid &&
    welcome.signingKeys.some(({ kid }) => kid === header.signing_kid)
  );
}

/**
 * Opens a welcome. Throws EnvelopeOpenError for any that is not accepted, whatever the cause.
 */
export async function openWelcome(
  suite: AwaitableSuite,
  envelope: unknown,
  input: OpenWelcomeInput,
): Promise<{ readonly header: ProtectedHeader; readonly welcome: Welcome }> {
  const parsed = parseEnvelope(envelope);
  const { header } = parsed;
  if (
    header.purpose !== 'key.welcome' ||
    header.recipient_kid !== input.recipient.kid ||
    header.signing_kid !== (input.signingKid ?? header.signing_kid) ||
    header.tenant_id !== (input.tenantId ?? header.tenant_id)
  ) {
    throw new EnvelopeOpenError();
  }
  const transcript = encodeTranscript(parsed);
  const known = input.trustedSigningKeys;
  if (known !== undefined && (await checkSignature(suite, parsed, transcript, known)) !== 1) {
    throw new EnvelopeOpenError();
  }
  const welcome = await decryptWelcome(suite, parsed, input.recipient);
  const [signature, mac] = await Promise.all([
    checkSignature(suite, parsed, transcript, known ?? welcome.signingKeys),
    checkMac(await suite.importMacKey(welcome.macKey), parsed, transcript),
  ]);
  if ((signature & mac) !== 1 || !isForHeader(welcome, header) || welcome.sigKid !== input.sigKid) {
    welcome.macKey.fill(0);
    throw new EnvelopeOpenError();
  }
  return { header, welcome };
}

async function decryptWelcome(
  suite: AwaitableSuite,
  parsed: ParsedEnvelope,
  recipient: KemPrivateKey,
): Promise<Welcome> {
  const plaintext = await decrypt(suite, parsed, recipient);
  try {
    const welcome = await parseWelcome(suite, plaintext);
    if (welcome === null) throw new EnvelopeOpenError();
    return welcome;
  } finally {
    plaintext.fill(0);
  }
}
