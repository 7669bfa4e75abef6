/** Envelopes that an opener must refuse, each wrong in the one way that its reason names. */
import {
  encodeBase64,
  encodeCanonicalJson,
  encodeUtf8,
  type JsonObject,
  type JsonValue,
  parseBase64,
} from '../../../src/base/index.ts';
import { encodeSigningKeyJwk, encodeWelcome, type SigningKeyInfo } from '../../../src/envelope/index.ts';
import { BASE_CLAIMS, type Cast, describeKey, FEED_CLAIMS, IDS, ISSUED_AT, OPTIONAL_CLAIMS } from './cast.ts';
import { type Forgery, fixedBytes, forge } from './forge.ts';

const PLAINTEXT = encodeUtf8('{"tickets":[]}');

function decoded(text: JsonValue | undefined): Uint8Array {
  const bytes = typeof text === 'string' ? parseBase64(text) : null;
  if (bytes === null) throw new TypeError('"text" must be base64');
  return bytes;
}

function flip(bytes: Uint8Array, index: number): Uint8Array {
  return bytes.map((byte, place) => (place === (index + bytes.length) % bytes.length ? byte ^ 0x01 : byte));
}

type Section = 'encrypted' | 'signature';

function section(envelope: JsonObject, name: Section): JsonObject {
  return { ...(envelope[name] as JsonObject) };
}

/** The RFC 7396 patch that replaces one member of a section, or removes it where `value` is null. */
function put(name: Section, member: string, value: JsonValue): JsonObject {
  return { [name]: { [member]: value } };
}

const BINARY: readonly (readonly [Section, string])[] = [
  ['encrypted', 'ciphertext_kem'],
  ['encrypted', 'ciphertext_data'],
  ['encrypted', 'nonce'],
  ['encrypted', 'protected'],
  ['signature', 'pqc_signature'],
  ['signature', 'hmac_signature'],
];

/** Wrong in form, or changed on the way: merge patches (RFC 7396) of the good envelope. */
function createMalformed(good: JsonObject): JsonObject[] {
  const cases: JsonObject[] = [];
  const add = (reason: string, patch: JsonObject): void => void cases.push({ reason, merge_patch: patch });
  for (const envelope of [null, true, 1, 'envelope', []])
    cases.push({ reason: 'the envelope is not an object', envelope });
  for (const member of ['success', 'encrypted', 'signature', 'audit_event_id']) {
    add(`${member} is missing`, { [member]: null });
  }
  add('an outer member is unknown', { note: '' });
  add('a member of encrypted is unknown', put('encrypted', 'note', ''));
  add('a member of signature is unknown', put('signature', 'note', ''));
  for (const [name, member] of [
    ...BINARY,
    ['encrypted', 'tenant_id'],
    ['encrypted', 'algorithm'],
    ['signature', 'algorithm'],
  ] as const) {
    add(`${name}.${member} is missing`, put(name, member, null));
    add(`${name}.${member} is not a string`, put(name, member, 1));
  }
  add('success is false', { success: false });
  add('success is not a boolean', { success: 'true' });
  add('the KEM is another', put('encrypted', 'algorithm', 'ML-KEM-1024'));
  add('the KEM is written otherwise', put('encrypted', 'algorithm', 'ml-kem-768'));
  add('one signature only is named', put('signature', 'algorithm', 'ML-DSA-65'));
  for (const [name, member] of BINARY) {
    const text = String(section(good, name)[member]);
    const bytes = decoded(text);
    const at = `${name}.${member}`;
    add(`${at} is empty`, put(name, member, ''));
    add(`${at} has a space`, put(name, member, ` ${text}`));
    add(`${at} has a line end`, put(name, member, `${text}\n`));
    add(`${at} has a character that base64 has not`, put(name, member, `-${text.slice(1)}`));
    if (text.endsWith('=')) add(`${at} lacks its padding`, put(name, member, text.replace(/=+$/, '')));
    if (text.endsWith('==')) {
      const last = String.fromCharCode(text.charCodeAt(text.length - 3) + 1);
      add(`${at} has stray bits in its last character`, put(name, member, `${text.slice(0, -3)}${last}==`));
    }
    add(`${at} is one byte short`, put(name, member, encodeBase64(bytes.subarray(1))));
    add(`${at} is one byte long`, put(name, member, encodeBase64(Uint8Array.of(...bytes, 0))));
  }
  add(
    'the ciphertext is shorter than its tag',
    put('encrypted', 'ciphertext_data', encodeBase64(new Uint8Array(15))),
  );
  add('the outer tenant is not that of the header', put('encrypted', 'tenant_id', IDS.otherTenant));
  add('the outer audit event is not that of the header', { audit_event_id: IDS.audit.replace(/1$/, '2') });
  for (const [name, member] of BINARY) {
    for (const index of [0, -1]) {
      const bytes = flip(decoded(section(good, name)[member]), index);
      add(
        `one bit of the ${index === 0 ? 'first' : 'last'} byte of ${name}.${member} was changed`,
        put(name, member, encodeBase64(bytes)),
      );
    }
  }
  return cases;
}

/** Headers that are signed properly and are still no headers. */
const WRONG_HEADERS: readonly (readonly [reason: string, change: JsonObject])[] = [
  ['v is 2', { v: 2 }],
  ['v is a string', { v: '1' }],
  ['the purpose is unknown', { purpose: 'proxy.answer' }],
  ['the tenant is no id of a tenant', { tenant_id: IDS.integration }],
  ['the recipient key is no id of a client key', { recipient_key_id: `${IDS.key}0` }],
  ['recipient_kid is no SHA-256', { recipient_kid: 'AAAA' }],
  ['signing_kid is not canonical base64url', { signing_kid: `${'A'.repeat(42)}B` }],
  ['issued_at is a string', { issued_at: String(ISSUED_AT) }],
  ['issued_at is not whole', { issued_at: ISSUED_AT + 0.5 }],
  ['issued_at is negative', { issued_at: -1 }],
  ['issued_at is after the year 9999', { issued_at: 253_402_300_800 }],
  ['content_type is empty', { content_type: '' }],
  ['an optional member is null', { operation: null }],
  ['the operation has a space', { operation: 'list tickets' }],
  ['the request target lacks its method', { request_target: '/graphql' }],
  ['the client nonce is 15 bytes', { client_nonce: 'A'.repeat(20) }],
  ['the client nonce is 65 bytes', { client_nonce: 'A'.repeat(87) }],
  ['the stream names no lineage', { stream: IDS.integration }],
  ['the sequence is negative', { sequence: -1 }],
  ['the sequence is beyond 2^53 - 1', { sequence: 2 ** 53 }],
  ['a feed entry has no stream', { purpose: 'ticket.change', sequence: 1 }],
  ['a feed entry has no sequence', { purpose: 'ticket.position', stream: FEED_CLAIMS.stream }],
  ['a member of the header is unknown', { note: '' }],
  ['audit_event_id is missing', { audit_event_id: undefined }],
];

/**
 * A valid `base`, and cases: each with a `merge_patch` of the base, or an `envelope` of its own that is
 * consistent in itself and wrong in its header, its keys or what was expected of it.
 */
export async function createInvalidEnvelopes(
  cast: Cast,
): Promise<{ readonly base: JsonObject; readonly cases: readonly JsonObject[] }> {
  const header: JsonObject = {
    v: 1,
    ...BASE_CLAIMS,
    recipient_kid: cast.recipient.kid,
    signing_kid: cast.gateway.kid,
  };
  const base: Forgery = {
    header,
    plaintext: PLAINTEXT,
    recipient: cast.recipient,
    signer: cast.gateway,
    macKey: cast.macKey,
  };
  const good = await forge(base);
  const cases: JsonObject[] = createMalformed(good);
  const add = async (reason: string, change: Partial<Forgery>, more: JsonObject = {}): Promise<void> => {
    cases.push({ reason, envelope: await forge({ ...base, ...change }), ...more });
  };
  for (const [reason, change] of WRONG_HEADERS) await add(reason, { header: { ...header, ...change } });

  const text = new TextDecoder().decode(encodeCanonicalJson(header));
  const bytes: readonly (readonly [string, Uint8Array])[] = [
    [
      'members of the header are not in canonical order',
      encodeUtf8(`{"v":1,${text.slice(1).replace(',"v":1}', '}')}`),
    ],
    ['the header has white space', encodeUtf8(text.replace(',', ', '))],
    ['the header has a member twice', encodeUtf8(text.replace('"v":1}', '"v":1,"v":1}'))],
    ['a number of the header is written otherwise', encodeUtf8(text.replace('"v":1}', '"v":1.0}'))],
    ['a string of the header is escaped without need', encodeUtf8(text.replace('ten_', 'te\\u006e_'))],
    ['the header begins with a byte order mark', Uint8Array.of(0xef, 0xbb, 0xbf, ...encodeUtf8(text))],
    ['the header is not UTF-8', flip(encodeUtf8(text), 2).with(3, 0xff)],
    ['the header is not an object', encodeUtf8('[]')],
    ['the header is longer than 8192 bytes', encodeUtf8(text.replace('}', `${' '.repeat(8192)}}`))],
  ];
  for (const [reason, headerBytes] of bytes) await add(reason, { headerBytes });

  await add('the ML-DSA signature is by a key that is not trusted', { signer: cast.stranger });
  await add('the header names a key that is not trusted', {
    signer: cast.stranger,
    header: { ...header, signing_kid: cast.stranger.kid },
  });
  await add('the ML-DSA context is that of another use', { context: 'sealdesk/register/v1' });
  await add('the ML-DSA context is empty', { context: '' });
  await add('the ML-DSA signature is over a longer message', {
    signed: (transcript) => Uint8Array.of(...transcript, 0),
  });
  await add('the MAC is by another key', { macKey: fixedBytes('another mac key', 64) });
  await add('the MAC is over another message', { maced: (transcript) => transcript.slice(1) });
  await add('it is sealed to another key', { recipient: cast.otherRecipient });
  await add('it is sealed to another key and says so', {
    recipient: cast.otherRecipient,
    header: { ...header, recipient_kid: cast.otherRecipient.kid },
  });
  await add('the header names another recipient key', {
    header: { ...header, recipient_kid: cast.otherRecipient.kid },
  });
  await add('HPKE info is that of another use', { info: 'sealdesk/credential/v1' });
  await add('HPKE aad is not the header', { aad: encodeUtf8('{}') });
  await add('nonce is not the base nonce, though signed', {
    beforeSigning: (parts) => ({ ...parts, nonce: flip(parts.nonce, 0) }),
  });
  await add('the ciphertext was changed before it was signed', {
    beforeSigning: (parts) => ({ ...parts, ciphertext: flip(parts.ciphertext, 0) }),
  });
  await add('the tag was changed before it was signed', {
    beforeSigning: (parts) => ({ ...parts, ciphertext: flip(parts.ciphertext, -1) }),
  });
  await add('the ciphertext was cut before it was signed', {
    beforeSigning: (parts) => ({ ...parts, ciphertext: parts.ciphertext.slice(1) }),
  });
  await add('enc was changed before it was signed', {
    beforeSigning: (parts) => ({ ...parts, enc: flip(parts.enc, 0) }),
  });

  const pin = (rest: Partial<SigningKeyInfo>): JsonObject => ({
    signing_keys: [{ ...encodeSigningKeyJwk(describeKey(cast.gateway, rest)) }],
  });
  await add('the signing key ended before it was issued', {}, pin({ notAfter: ISSUED_AT - 1 }));
  await add('the signing key began after it was issued', {}, pin({ notBefore: ISSUED_AT + 1 }));
  await add('the signing key is revoked', {}, pin({ status: 'REVOKED' }));

  const own = { tenant_id: IDS.tenant, recipient_key_id: IDS.key };
  await add('another tenant was expected', {}, { expected: { ...own, tenant_id: IDS.otherTenant } });
  await add(
    'another recipient key was expected',
    {},
    { expected: { ...own, recipient_key_id: IDS.otherKey } },
  );
  await add('another purpose was expected', {}, { expected: { ...own, purposes: ['graphql.result'] } });
  for (const [member, value] of Object.entries({ ...OPTIONAL_CLAIMS, ...FEED_CLAIMS })) {
    await add(`${member} was expected and is not there`, {}, { expected: { ...own, [member]: value } });
  }
  const answered = { header: { ...header, ...OPTIONAL_CLAIMS, ...FEED_CLAIMS } };
  await add('it answers another request', answered, { expected: { ...own, client_nonce: 'A'.repeat(22) } });
  await add('it is another entry of the stream', answered, {
    expected: { ...own, ...FEED_CLAIMS, sequence: 43 },
  });
  await add('a welcome is no ordinary envelope', { header: { ...header, purpose: 'key.welcome' } });
  return { base: good, cases };
}

/** Welcomes that must be refused when they are opened as such, for the recipient's own keys. */
export async function createInvalidWelcomes(cast: Cast): Promise<JsonObject[]> {
  const header: JsonObject = {
    v: 1,
    ...BASE_CLAIMS,
    purpose: 'key.welcome',
    recipient_kid: cast.recipient.kid,
    signing_kid: cast.gateway.kid,
  };
  const welcome = {
    keyId: IDS.key,
    tenantId: IDS.tenant,
    gatewayUrl: 'https://sealdesk.example',
    macKey: cast.macKey,
    kemKid: cast.recipient.kid,
    sigKid: cast.recipientSig.kid,
    signingKeys: [describeKey(cast.gateway)],
  };
  const good = encodeWelcome(welcome);
  const base: Forgery = {
    header,
    plaintext: good,
    recipient: cast.recipient,
    signer: cast.gateway,
    macKey: cast.macKey,
  };
  const text = new TextDecoder().decode(good);
  const cases: readonly (readonly [string, Partial<Forgery>, JsonObject?])[] = [
    ['the purpose is another', { header: { ...header, purpose: 'proxy.result' } }],
    ['the MAC is not by the key inside', { macKey: fixedBytes('another mac key', 64) }],
    ['the signature is not by a key inside', { signer: cast.stranger }],
    [
      'the header names a key that is not inside',
      { signer: cast.stranger, header: { ...header, signing_kid: cast.stranger.kid } },
    ],
    ['it is sealed to another key', { recipient: cast.otherRecipient }],
    [
      'the key id inside is not that of the header',
      { plaintext: encodeWelcome({ ...welcome, keyId: IDS.otherKey }) },
    ],
    [
      'the tenant inside is not that of the header',
      { plaintext: encodeWelcome({ ...welcome, tenantId: IDS.otherTenant }) },
    ],
    [
      'kem_kid is of another key',
      { plaintext: encodeWelcome({ ...welcome, kemKid: cast.otherRecipient.kid }) },
    ],
    ['sig_kid is of another key', { plaintext: encodeWelcome({ ...welcome, sigKid: cast.stranger.kid }) }],
    [
      'the signing key inside is revoked',
      {
        plaintext: encodeWelcome({
          ...welcome,
          signingKeys: [describeKey(cast.gateway, { status: 'REVOKED' })],
        }),
      },
    ],
    ['the plaintext is not canonical', { plaintext: encodeUtf8(`${text} `) }],
    [
      'the plaintext has a member twice',
      { plaintext: encodeUtf8(text.replace('{', `{"gateway_url":"https://evil.example",`)) },
    ],
    ['the plaintext has an unknown member', { plaintext: encodeUtf8(text.replace('{', '{"a":1,')) }],
    [
      'the MAC key is short',
      {
        plaintext: encodeUtf8(text.replace(encodeBase64(cast.macKey), encodeBase64(cast.macKey.subarray(1)))),
      },
    ],
    ['the gateway is no web address', { plaintext: encodeUtf8(text.replace('https:', 'ftp:')) }],
    [
      'another signing key was known beforehand',
      {},
      { signing_keys: [{ ...encodeSigningKeyJwk(describeKey(cast.next)) }] },
    ],
    ['another signing key was expected', {}, { signing_kid: cast.next.kid }],
    ['another tenant was expected', {}, { tenant_id: IDS.otherTenant }],
  ];
  const made: JsonObject[] = [];
  for (const [reason, change, more] of cases) {
    made.push({ reason, envelope: await forge({ ...base, ...change }), ...more });
  }
  return made;
}
