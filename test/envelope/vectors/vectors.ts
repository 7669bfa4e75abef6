/** The vectors of `docs/envelope.md`, made from fixed seeds. Their format is described there, in §11. */
import {
  type Bytes,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  encodeUtf8,
  type JsonObject,
} from '../../../src/base/index.ts';
import {
  encodeConfirmationClaim,
  encodePublicJwkSet,
  encodeRegistrationClaim,
  encodeRotationClaim,
  encodeSigningKeyJwk,
  encodeTranscript,
  encodeWelcome,
  macConfirmation,
  PURPOSES,
  parseEnvelope,
  sealEnvelope,
  signRegistration,
  signRotation,
  signTransition,
} from '../../../src/envelope/index.ts';
import { deriveHpke } from '../independent-opener.ts';
import {
  BASE_CLAIMS,
  type Cast,
  createCast,
  describeKey,
  FEED_CLAIMS,
  IDS,
  ISSUED_AT,
  OPTIONAL_CLAIMS,
  SEEDS,
} from './cast.ts';
import { fixedBytes, restartDraws, suite } from './forge.ts';
import { createInvalidEnvelopes, createInvalidWelcomes } from './invalid-envelopes.ts';
import { createInvalidJwkSets } from './invalid-jwk-sets.ts';

async function createValidEnvelopes(cast: Cast): Promise<JsonObject[]> {
  const valid: JsonObject[] = [];
  const add = async (
    name: string,
    extra: Partial<Parameters<typeof sealEnvelope>[1]['claims']>,
    plaintext: Bytes,
  ) => {
    const { envelope, transcriptSha256 } = await sealEnvelope(suite, {
      claims: { ...BASE_CLAIMS, ...extra },
      plaintext,
      recipient: cast.recipient,
      signingKey: cast.gateway,
      macKey: suite.importMacKey(cast.macKey),
    });
    const parsed = parseEnvelope(envelope);
    valid.push({
      name,
      envelope: { ...envelope },
      header: { ...parsed.header },
      plaintext: encodeBase64(plaintext),
      transcript_sha256: transcriptSha256,
    });
  };
  for (const purpose of PURPOSES.filter((known) => known !== 'key.welcome')) {
    const feed = purpose.startsWith('ticket.') ? FEED_CLAIMS : {};
    await add(
      `${purpose}, required members only`,
      { purpose, ...feed },
      encodeUtf8(`{"purpose":"${purpose}"}`),
    );
  }
  const text = encodeUtf8('{"tickets":[{"id":35436,"subject":"Größe — 寸法 — 🎫"}]}');
  await add('proxy.result, every optional member', { ...OPTIONAL_CLAIMS, ...FEED_CLAIMS }, text);
  await add(
    'export.part, sequence without stream',
    { purpose: 'export.part', sequence: 0 },
    encodeUtf8('{}\n{}\n'),
  );
  await add(
    'longest client nonce, other media type',
    {
      client_nonce: encodeBase64Url(fixedBytes('long nonce', 64)),
      content_type: 'text/plain; charset=utf-8',
    },
    encodeUtf8('plain'),
  );
  await add(
    'largest sequence',
    { ...FEED_CLAIMS, purpose: 'ticket.change', sequence: Number.MAX_SAFE_INTEGER },
    encodeUtf8('{}'),
  );
  await add('empty plaintext', {}, new Uint8Array(0));
  await add('plaintext of one block and one byte', {}, fixedBytes('block', 17));
  return valid;
}

async function createWelcomes(cast: Cast): Promise<JsonObject[]> {
  const welcomes: JsonObject[] = [];
  const lists = [
    [describeKey(cast.gateway)],
    [
      describeKey(cast.next, { status: 'PENDING', notBefore: ISSUED_AT + 86_400, notAfter: ISSUED_AT * 2 }),
      describeKey(cast.gateway),
    ],
  ];
  for (const signingKeys of lists) {
    const plaintext = encodeWelcome({
      keyId: IDS.key,
      tenantId: IDS.tenant,
      gatewayUrl: 'https://sealdesk.example',
      macKey: cast.macKey,
      kemKid: cast.recipient.kid,
      sigKid: cast.recipientSig.kid,
      signingKeys,
    });
    const { envelope, transcriptSha256 } = await sealEnvelope(suite, {
      claims: { ...BASE_CLAIMS, purpose: 'key.welcome' },
      plaintext,
      recipient: cast.recipient,
      signingKey: cast.gateway,
      macKey: suite.importMacKey(cast.macKey),
    });
    welcomes.push({
      name: `welcome with ${signingKeys.length} signing key${signingKeys.length === 1 ? '' : 's'}`,
      envelope: { ...envelope },
      plaintext: encodeBase64(plaintext),
      transcript_sha256: transcriptSha256,
    });
  }
  return welcomes;
}

async function createProofs(cast: Cast): Promise<JsonObject> {
  const kids = { tenant_id: IDS.tenant, kem_kid: cast.recipient.kid, sig_kid: cast.recipientSig.kid };
  const registration = { ...kids, issued_at: ISSUED_AT };
  const confirmation = { ...kids, key_id: IDS.key };
  const rotation = {
    tenant_id: IDS.tenant,
    old_key_id: IDS.key,
    mode: 'OVERLAP',
    kem_kid: cast.otherRecipient.kid,
    sig_kid: cast.stranger.kid,
    issued_at: ISSUED_AT,
  } as const;
  const step = await signTransition(cast.gateway, {
    tenantId: IDS.tenant,
    toKid: cast.next.kid,
    notBefore: ISSUED_AT,
  });
  const pins = [describeKey(cast.gateway)];
  const published = [
    describeKey(cast.gateway, { status: 'RETIRED', notAfter: ISSUED_AT + 86_400 }),
    describeKey(cast.next),
  ];
  const document = {
    keys: published.map((key) => ({ ...encodeSigningKeyJwk(key) })),
    transitions: [{ ...step }],
  };
  return {
    registration: {
      claim: registration,
      message: encodeBase64(encodeRegistrationClaim(registration)),
      proof: encodeBase64(await signRegistration(cast.recipientSig, registration)),
    },
    confirmation: {
      claim: confirmation,
      message: encodeBase64(encodeConfirmationClaim(confirmation)),
      mac: encodeBase64(await macConfirmation(suite.importMacKey(cast.macKey), confirmation)),
    },
    signing_keys: {
      pins: pins.map((key) => ({ ...encodeSigningKeyJwk(key) })),
      document,
      accepted_kids: [cast.gateway.kid, cast.next.kid],
      not_accepted: [
        { reason: 'no transition leads to the new key', document: { ...document, transitions: [] } },
        {
          reason: 'the transition was signed by the new key itself',
          document: {
            ...document,
            transitions: [
              {
                ...(await signTransition(cast.next, {
                  tenantId: IDS.tenant,
                  toKid: cast.gateway.kid,
                  notBefore: ISSUED_AT,
                })),
                from_kid: cast.gateway.kid,
                to_kid: cast.next.kid,
              },
            ],
          },
        },
        {
          reason: 'the transition was signed for another tenant',
          document: {
            ...document,
            transitions: [
              {
                ...(await signTransition(cast.gateway, {
                  tenantId: IDS.otherTenant,
                  toKid: cast.next.kid,
                  notBefore: ISSUED_AT,
                })),
              },
            ],
          },
        },
        {
          reason: 'not_before was changed',
          document: { ...document, transitions: [{ ...step, not_before: ISSUED_AT - 1 }] },
        },
        {
          reason: 'the pinned key is revoked and vouches for nobody',
          document: {
            keys: [describeKey(cast.gateway, { status: 'REVOKED' }), describeKey(cast.next)].map((key) => ({
              ...encodeSigningKeyJwk(key),
            })),
            transitions: [{ ...step }],
          },
        },
      ],
    },
    rotation: {
      claim: rotation,
      message: encodeBase64(encodeRotationClaim(rotation)),
      proof: encodeBase64(await signRotation(cast.recipientSig, rotation)),
    },
  };
}

export async function createEnvelopeVectors(): Promise<JsonObject> {
  restartDraws();
  const cast = createCast();
  const publicSet = encodePublicJwkSet({
    kem: { alg: 'ML-KEM-768', kid: cast.recipient.kid, publicKey: cast.recipient.publicKey },
    sig: { alg: 'ML-DSA-65', kid: cast.recipientSig.kid, publicKey: cast.recipientSig.publicKey },
  }).keys;
  const valid = await createValidEnvelopes(cast);
  const first = parseEnvelope(valid[0]?.['envelope']);
  const hpke = deriveHpke(SEEDS.kem, first.enc);
  return {
    format: 'sealdesk/envelope/v1',
    keys: {
      recipient: [
        { ...publicSet[0], priv: encodeBase64Url(SEEDS.kem) },
        { ...publicSet[1], priv: encodeBase64Url(SEEDS.sig) },
      ],
      mac_key: encodeBase64(cast.macKey),
      signing_keys: [{ ...encodeSigningKeyJwk(describeKey(cast.gateway)) }],
    },
    expected: { tenant_id: IDS.tenant, recipient_key_id: IDS.key },
    first_hpke: {
      shared_secret: encodeHex(hpke.sharedSecret),
      key_schedule_context: encodeHex(hpke.context),
      secret: encodeHex(hpke.secret),
      key: encodeHex(hpke.key),
      base_nonce: encodeHex(hpke.nonce),
    },
    first_transcript: encodeHex(encodeTranscript(first)),
    valid,
    invalid: await createInvalidEnvelopes(cast),
    welcome: await createWelcomes(cast),
    invalid_welcome: await createInvalidWelcomes(cast),
    jwk_sets: {
      valid: { keys: publicSet.map((jwk) => ({ ...jwk })) },
      invalid: createInvalidJwkSets(publicSet),
    },
    ...(await createProofs(cast)),
  };
}
