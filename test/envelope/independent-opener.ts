/**
 * An opener written from `docs/envelope.md` alone: @noble primitives, `JSON`, and nothing of `src`.
 * If the document and the code drift apart, the vectors fail here.
 */
import { gcm } from '@noble/ciphers/aes.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

type Json = Readonly<Record<string, unknown>>;

export interface OpenerKeys {
  readonly kem: Json;
  readonly macKey: string;
  readonly signingKeys: readonly Json[];
  readonly expected: Json;
}

const text = new TextEncoder();

function check(condition: boolean): asserts condition {
  if (!condition) throw new Error('not accepted');
}

function members(value: unknown, names: readonly string[], optional: readonly string[] = []): Json {
  check(typeof value === 'object' && value !== null && !Array.isArray(value));
  const keys = Object.keys(value);
  check(names.every((name) => keys.includes(name)));
  check(keys.every((key) => names.includes(key) || optional.includes(key)));
  return Object.fromEntries(Object.entries(value));
}

function base64(value: unknown, minimum: number, maximum = minimum): Uint8Array {
  check(typeof value === 'string');
  const bytes = Uint8Array.from(Buffer.from(value, 'base64'));
  check(Buffer.from(bytes).toString('base64') === value);
  check(bytes.length >= minimum && bytes.length <= maximum);
  return bytes;
}

function base64url(value: unknown): Uint8Array {
  check(typeof value === 'string');
  const bytes = Uint8Array.from(Buffer.from(value, 'base64url'));
  check(Buffer.from(bytes).toString('base64url') === value);
  return bytes;
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

function length8(bytes: Uint8Array): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(bytes.length));
  return length;
}

function kid(jwk: Json): string {
  const json = `{"alg":"${jwk['alg']}","kty":"AKP","pub":"${jwk['pub']}"}`;
  return Buffer.from(sha256(text.encode(json))).toString('base64url');
}

const PURPOSES =
  'proxy.result proxy.error graphql.result ticket.change ticket.position credential key.welcome export.part';
const ID = '_[0-7][0-9a-hjkmnp-tv-z]{25}$';
const matches = (pattern: string) => (value: unknown) =>
  typeof value === 'string' && new RegExp(pattern).test(value);
const isHash = (value: unknown): boolean =>
  matches('^[A-Za-z0-9_-]{43}$')(value) && base64url(value).length === 32;
const REQUIRED: Readonly<Record<string, (value: unknown) => boolean>> = {
  v: (value) => value === 1,
  purpose: (value) => PURPOSES.split(' ').some((purpose) => purpose === value),
  tenant_id: matches(`^ten${ID}`),
  recipient_key_id: matches(`^key${ID}`),
  recipient_kid: isHash,
  signing_kid: isHash,
  audit_event_id: matches(`^aud${ID}`),
  issued_at: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 253402300799,
  content_type: matches(
    '^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}(; ?[a-z0-9-]{1,32}=[A-Za-z0-9._-]{1,64})?$',
  ),
};
const OPTIONAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  integration_id: matches(`^int${ID}`),
  operation: matches('^[A-Za-z0-9_]{1,128}$'),
  request_target: matches('^[A-Z]{1,16} /[!-~]{0,2047}$'),
  request_sha256: isHash,
  client_nonce: (value) => base64url(value).length >= 16 && base64url(value).length <= 64,
  stream: matches(`^int${ID.slice(0, -1)}/key${ID}`),
  sequence: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};

function readHeader(bytes: Uint8Array): Json {
  const source = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const header = members(JSON.parse(source), Object.keys(REQUIRED), Object.keys(OPTIONAL));
  for (const [name, value] of Object.entries(header))
    check((REQUIRED[name] ?? OPTIONAL[name])?.(value) === true);
  if (String(header['purpose']).startsWith('ticket.')) check('stream' in header && 'sequence' in header);
  // All values are ASCII strings without escapes and integers: sorting the members is RFC 8785.
  const sorted = Object.fromEntries(Object.entries(header).sort(([a], [b]) => (a < b ? -1 : 1)));
  check(JSON.stringify(sorted) === source);
  return header;
}

const SUITE_ID = join(text.encode('HPKE'), Uint8Array.of(0x00, 0x41, 0x00, 0x03, 0x00, 0x02));
const labelled = (label: string, data: Uint8Array): Uint8Array =>
  join(text.encode('HPKE-v1'), SUITE_ID, text.encode(label), data);

/** §4 of the document: what the HPKE key schedule derives on the way. */
export function deriveHpke(seed: Uint8Array, enc: Uint8Array) {
  const empty = new Uint8Array(0);
  const sharedSecret = ml_kem768.decapsulate(enc, ml_kem768.keygen(seed).secretKey);
  const pskIdHash = extract(sha512, labelled('psk_id_hash', empty), empty);
  const infoHash = extract(sha512, labelled('info_hash', text.encode('sealdesk/envelope/v1')), empty);
  const context = join(Uint8Array.of(0), pskIdHash, infoHash);
  const secret = extract(sha512, labelled('secret', empty), sharedSecret);
  const key = expand(sha512, secret, join(Uint8Array.of(0, 32), labelled('key', context)), 32);
  const nonce = expand(sha512, secret, join(Uint8Array.of(0, 12), labelled('base_nonce', context)), 12);
  return { sharedSecret, context, secret, key, nonce };
}

function decrypt(seed: Uint8Array, enc: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array) {
  const { key, nonce } = deriveHpke(seed, enc);
  return { nonce, plaintext: gcm(key, nonce, aad).decrypt(ciphertext) };
}

function readEnvelope(envelope: unknown) {
  const outer = members(envelope, ['success', 'encrypted', 'signature', 'audit_event_id']);
  const encrypted = members(outer['encrypted'], [
    'ciphertext_kem',
    'ciphertext_data',
    'nonce',
    'tenant_id',
    'algorithm',
    'protected',
  ]);
  const signature = members(outer['signature'], ['pqc_signature', 'hmac_signature', 'algorithm']);
  check(outer['success'] === true && encrypted['algorithm'] === 'ML-KEM-768');
  check(signature['algorithm'] === 'ML-DSA-65+HMAC-SHA-512');
  const aad = base64(encrypted['protected'], 2, 8192);
  const header = readHeader(aad);
  check(
    header['tenant_id'] === encrypted['tenant_id'] && header['audit_event_id'] === outer['audit_event_id'],
  );
  const enc = base64(encrypted['ciphertext_kem'], 1088);
  const nonce = base64(encrypted['nonce'], 12);
  const ciphertext = base64(encrypted['ciphertext_data'], 16, 16 * 1024 * 1024 + 16);
  const transcript = join(
    text.encode('sealdesk/envelope/v1'),
    Uint8Array.of(0),
    ...[aad, enc, nonce, ciphertext].flatMap((part) => [length8(part), part]),
  );
  return {
    header,
    aad,
    enc,
    nonce,
    ciphertext,
    transcript,
    pqc: base64(signature['pqc_signature'], 3309),
    mac: base64(signature['hmac_signature'], 64),
  };
}

type Read = ReturnType<typeof readEnvelope>;

function isSigned({ header, transcript, pqc }: Read, keys: readonly Json[]): boolean {
  const key = keys.find((jwk) => kid(jwk) === header['signing_kid']);
  if (key === undefined || key['status'] === 'REVOKED') return false;
  const issuedAt = Number(header['issued_at']);
  if (issuedAt < Number(key['not_before'] ?? 0)) return false;
  if (key['not_after'] !== null && issuedAt > Number(key['not_after'])) return false;
  const context = text.encode('sealdesk/envelope/v1');
  return ml_dsa65.verify(pqc, transcript, base64url(key['pub']), { context });
}

const isTagged = ({ transcript, mac }: Read, macKey: Uint8Array): boolean =>
  Buffer.from(hmac(sha512, macKey, transcript)).equals(mac);

/** §5 of the document. Throws where the envelope is not accepted. */
export function openIndependently(envelope: unknown, keys: OpenerKeys) {
  const read = readEnvelope(envelope);
  const signed = isSigned(read, keys.signingKeys);
  const tagged = isTagged(read, base64(keys.macKey, 64));
  check(signed && tagged);
  const { nonce, plaintext } = decrypt(base64url(keys.kem['priv']), read.enc, read.aad, read.ciphertext);
  check(Buffer.from(nonce).equals(read.nonce));
  const { purposes, ...expected } = keys.expected;
  check(read.header['purpose'] !== 'key.welcome' && read.header['recipient_kid'] === kid(keys.kem));
  check(purposes === undefined || (Array.isArray(purposes) && purposes.includes(read.header['purpose'])));
  check(Object.entries(expected).every(([name, value]) => read.header[name] === value));
  return { header: read.header, plaintext, transcriptSha256: sha256(read.transcript) };
}

/** §7 of the document, without prior knowledge of the signing key. */
export function openWelcomeIndependently(envelope: unknown, kem: Json, sig: Json) {
  const read = readEnvelope(envelope);
  check(read.header['purpose'] === 'key.welcome' && read.header['recipient_kid'] === kid(kem));
  const { nonce, plaintext } = decrypt(base64url(kem['priv']), read.enc, read.aad, read.ciphertext);
  check(Buffer.from(nonce).equals(read.nonce));
  const welcome = JSON.parse(new TextDecoder().decode(plaintext));
  const signed = isSigned(read, welcome['signing_keys']);
  const tagged = isTagged(read, base64(welcome['mac_key'], 64));
  check(signed && tagged);
  check(
    welcome['key_id'] === read.header['recipient_key_id'] &&
      welcome['tenant_id'] === read.header['tenant_id'],
  );
  check(welcome['kem_kid'] === kid(kem) && welcome['sig_kid'] === kid(sig));
  return { welcome, plaintext };
}
