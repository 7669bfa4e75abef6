import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeBase64, encodeHex, encodeUtf8, parseBase64, parseBase64Url } from '../../src/base/index.ts';
import {
  EnvelopeOpenError,
  encodeConfirmationClaim,
  encodeEnvelope,
  encodePublicJwkSet,
  encodeRegistrationClaim,
  encodeRotationClaim,
  encodeSigningKeyJwk,
  encodeTranscript,
  encodeWelcome,
  extendPins,
  macConfirmation,
  openEnvelope,
  openHpke,
  openWelcome,
  parseEnvelope,
  parseEnvelopeText,
  parsePrivateJwkSet,
  parsePublicJwkSet,
  parseSigningKeyDocument,
  parseSigningKeys,
  type SigningKeyInfo,
  verifyConfirmation,
  verifyRegistration,
  verifyRotation,
} from '../../src/envelope/index.ts';
import { suites, syncSuites } from './envelope-fixture.ts';
import { openIndependently, openWelcomeIndependently } from './independent-opener.ts';
import { mergePatch, readVectors } from './read-vectors.ts';
import { createEnvelopeVectors } from './vectors/vectors.ts';

const vectors = readVectors();

function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = parseBase64(text);
  if (bytes === null) throw new TypeError('"text" must be base64');
  return bytes;
}

function parseKeys(value: unknown): readonly SigningKeyInfo[] {
  const keys = parseSigningKeys(syncSuites[0], value);
  if (keys === null) throw new TypeError('"value" must be signing keys');
  return keys;
}

describe('the vectors file', () => {
  it('is what its generator writes', async () => {
    const text = `${JSON.stringify(await createEnvelopeVectors(), null, 1)}\n`;
    expect(readFileSync(new URL('../vectors/envelope-v1.json', import.meta.url), 'utf8') === text).toBe(true);
  });

  it('has every purpose, and an envelope with every optional member', () => {
    expect(new Set(vectors.valid.map(({ header }) => header.purpose)).size).toBe(7);
    expect(vectors.valid.some(({ header }) => Object.keys(header).length === 16)).toBe(true);
  });
});

/** The seed of one of the recipient's two keys. */
function seedOf(index: 0 | 1): Uint8Array {
  const seed = parseBase64Url(vectors.keys.recipient[index].priv);
  if (seed === null) throw new TypeError('"priv" must be base64url');
  return seed;
}

describe.each(suites)('the $name suite', async (suite) => {
  const kem = await suite.importKemPrivateKey(seedOf(0));
  const sig = await suite.importSigningKey(seedOf(1));
  const macKey = await suite.importMacKey(decode(vectors.keys.mac_key));
  const open = (envelope: unknown, change: Partial<(typeof vectors.invalid.cases)[number]> = {}) =>
    openEnvelope(suite, envelope, {
      recipient: kem,
      macKey,
      trustedSigningKeys: parseKeys(change.signing_keys ?? vectors.keys.signing_keys),
      expected: change.expected ?? vectors.expected,
    });

  it.each(vectors.valid)('opens and re-encodes: $name', async (vector) => {
    const opened = await open(vector.envelope);
    expect(opened.header).toEqual(vector.header);
    expect(encodeBase64(opened.plaintext)).toBe(vector.plaintext);
    expect(opened.transcriptSha256).toBe(vector.transcript_sha256);
    expect(encodeEnvelope(parseEnvelope(vector.envelope))).toEqual(vector.envelope);
    expect(parseEnvelopeText(JSON.stringify(vector.envelope, null, 2))).toEqual(
      parseEnvelope(vector.envelope),
    );
  });

  it.each(vectors.valid)('accepts each member of its header as an expectation: $name', async (vector) => {
    const { v, purpose, recipient_kid, signing_kid, issued_at, content_type, ...expected } = vector.header;
    await expect(open(vector.envelope, { expected })).resolves.toMatchObject({ header: { v, purpose } });
    expect([recipient_kid, signing_kid, issued_at, content_type]).not.toContain(undefined);
  });

  it('encodes the transcript of the first as written down', () => {
    expect(encodeHex(encodeTranscript(parseEnvelope(vectors.valid[0]?.envelope)))).toBe(
      vectors.first_transcript,
    );
  });

  it('derives for the first the base nonce that is written down', async () => {
    const { enc, ciphertext, protectedHeader: aad } = parseEnvelope(vectors.valid[0]?.envelope);
    const opened = await openHpke(suite, {
      recipient: kem,
      info: encodeUtf8('sealdesk/envelope/v1'),
      aad,
      enc,
      ciphertext,
    });
    expect(encodeHex(opened?.baseNonce ?? new Uint8Array(0))).toBe(vectors.first_hpke['base_nonce']);
  });

  it('opens the envelope that the invalid ones are patches of', async () => {
    await expect(open(vectors.invalid.base)).resolves.toBeDefined();
  });

  it.each(vectors.invalid.cases)('refuses with one error: $reason', async (vector) => {
    const envelope =
      'merge_patch' in vector ? mergePatch(vectors.invalid.base, vector.merge_patch) : vector.envelope;
    await expect(open(envelope, vector)).rejects.toStrictEqual(new EnvelopeOpenError());
  });

  it.each(vectors.welcome)('opens a $name, knowing the signing key or not', async (vector) => {
    const trustedSigningKeys = parseKeys(vectors.keys.signing_keys);
    for (const known of [{}, { trustedSigningKeys }]) {
      const { welcome } = await openWelcome(suite, vector.envelope, {
        recipient: kem,
        sigKid: sig.kid,
        ...known,
      });
      expect(encodeBase64(encodeWelcome(welcome))).toBe(vector.plaintext);
    }
  });

  it.each(vectors.invalid_welcome)('refuses a welcome with one error: $reason', async (vector) => {
    const { signing_keys, signing_kid, tenant_id } = vector;
    const opening = openWelcome(suite, vector.envelope, {
      recipient: kem,
      sigKid: sig.kid,
      ...(signing_keys === undefined ? {} : { trustedSigningKeys: parseKeys(signing_keys) }),
      ...(signing_kid === undefined ? {} : { signingKid: signing_kid }),
      ...(tenant_id === undefined ? {} : { tenantId: tenant_id }),
    });
    await expect(opening).rejects.toStrictEqual(new EnvelopeOpenError());
  });

  it('verifies the registration and makes the confirmation', async () => {
    const { registration, confirmation } = vectors;
    expect(encodeBase64(encodeRegistrationClaim(registration.claim))).toBe(registration.message);
    expect(await verifyRegistration(sig, registration.claim, decode(registration.proof))).toBe(true);
    expect(encodeBase64(encodeConfirmationClaim(confirmation.claim))).toBe(confirmation.message);
    expect(encodeBase64(await macConfirmation(macKey, confirmation.claim))).toBe(confirmation.mac);
    expect(await verifyConfirmation(macKey, confirmation.claim, decode(confirmation.mac))).toBe(true);
  });

  it('verifies the rotation by the key that gives way', async () => {
    const { claim, message, proof } = vectors.rotation;
    expect(encodeBase64(encodeRotationClaim(claim))).toBe(message);
    expect(await verifyRotation(sig, claim, decode(proof))).toBe(true);
  });

  it('follows the chain of signing keys, and only a good one', async () => {
    const { pins, document, accepted_kids, not_accepted } = vectors.signing_keys;
    const extend = async (value: unknown) => {
      const parsed = await parseSigningKeyDocument(suite, value);
      if (parsed === null) throw new TypeError('"value" must be a document');
      const input = { tenantId: vectors.expected.tenant_id, pins: parseKeys(pins), document: parsed };
      return (await extendPins(suite, input)).map(({ kid }) => kid);
    };
    expect(await extend(document)).toEqual(accepted_kids);
    for (const wrong of not_accepted)
      expect(await extend(wrong.document), wrong.reason).toEqual([pins[0]?.kid]);
    expect(parseKeys(document.keys).map(encodeSigningKeyJwk)).toEqual(document.keys);
  });
});

describe.each(syncSuites)('the $name suite', (suite) => {
  it('reads the private keys of the recipient', () => {
    const keys = parsePrivateJwkSet(suite, { keys: vectors.keys.recipient });
    expect([keys.kem.kid, keys.sig.kid]).toEqual(vectors.keys.recipient.map(({ kid }) => kid));
  });

  it('reads the public keys of the recipient and writes them as they were', () => {
    expect(encodePublicJwkSet(parsePublicJwkSet(suite, vectors.jwk_sets.valid))).toEqual(
      vectors.jwk_sets.valid,
    );
  });

  it.each(vectors.jwk_sets.invalid)('refuses a JWK Set: $reason', ({ jwks }) => {
    expect(() => parsePublicJwkSet(suite, jwks)).toThrowError(
      expect.objectContaining({ code: 'VALIDATION_FAILED', details: { fields: [expect.anything()] } }),
    );
  });
});

describe('an opener written from the document alone', () => {
  const [kem, sig] = vectors.keys.recipient.map((jwk) => ({ ...jwk }));
  const keys = {
    kem: kem ?? {},
    macKey: vectors.keys.mac_key,
    signingKeys: vectors.keys.signing_keys.map((key) => ({ ...key })),
    expected: { ...vectors.expected },
  };

  it.each(vectors.valid)('opens: $name', (vector) => {
    const opened = openIndependently(vector.envelope, keys);
    expect(opened.header).toEqual(vector.header);
    expect(encodeBase64(opened.plaintext)).toBe(vector.plaintext);
    expect(Buffer.from(opened.transcriptSha256).toString('base64url')).toBe(vector.transcript_sha256);
  });

  it.each(vectors.invalid.cases)('refuses: $reason', (vector) => {
    const envelope =
      'merge_patch' in vector ? mergePatch(vectors.invalid.base, vector.merge_patch) : vector.envelope;
    const signingKeys = (vector.signing_keys ?? vectors.keys.signing_keys).map((key) => ({ ...key }));
    const expected = { ...(vector.expected ?? vectors.expected) };
    expect(() => openIndependently(envelope, { ...keys, signingKeys, expected })).toThrow();
  });

  it.each(vectors.welcome)('opens a $name', (vector) => {
    const { plaintext } = openWelcomeIndependently(vector.envelope, kem ?? {}, sig ?? {});
    expect(encodeBase64(plaintext)).toBe(vector.plaintext);
  });
});
