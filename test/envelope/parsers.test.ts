import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createId, encodeBase64, encodeBase64Url, equalBytes } from '../../src/base/index.ts';
import {
  EnvelopeOpenError,
  encodeEnvelope,
  encodeProtectedHeader,
  isClientNonce,
  isGatewayUrl,
  type ProtectedHeader,
  PURPOSES,
  parseEnvelope,
  parseProtectedHeader,
  parsePublicJwkSet,
  parseSigningKeyDocument,
  parseSigningKeys,
  parseWelcome,
} from '../../src/envelope/index.ts';
import { syncSuites } from './envelope-fixture.ts';
import { readVectors } from './read-vectors.ts';

const [suite] = syncSuites;
const vectors = readVectors();

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hash = bytes(32).map(encodeBase64Url);
const time = fc.integer({ min: 0, max: 2 ** 42 });
const id = (kind: Parameters<typeof createId>[0]) => time.map((now) => createId(kind, now));
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.option(arbitrary, { nil: undefined });

const header: fc.Arbitrary<ProtectedHeader> = fc
  .record({
    v: fc.constant(1 as const),
    purpose: fc.constantFrom(...PURPOSES),
    tenant_id: id('tenant'),
    recipient_key_id: id('clientKey'),
    recipient_kid: hash,
    signing_kid: hash,
    audit_event_id: id('auditEvent'),
    issued_at: fc.integer({ min: 0, max: 253_402_300_799 }),
    content_type: fc.constantFrom(
      'application/json',
      'application/graphql-response+json',
      'text/plain; charset=utf-8',
    ),
    stream: fc.tuple(id('integration'), id('clientKey')).map((parts) => parts.join('/')),
    sequence: fc.maxSafeNat(),
    rest: fc.record(
      {
        integration_id: id('integration'),
        operation: fc.stringMatching(/^[A-Za-z0-9_]{1,128}$/),
        request_target: fc.stringMatching(/^[A-Z]{1,16} \/[!-~]{0,80}$/),
        request_sha256: hash,
        client_nonce: fc.uint8Array({ minLength: 16, maxLength: 64 }).map(encodeBase64Url),
      },
      { requiredKeys: [] },
    ),
    sequenced: maybe(fc.constant(true)),
  })
  .map(({ rest, sequenced, stream, sequence, ...required }) =>
    sequenced || required.purpose.startsWith('ticket.')
      ? { ...required, ...rest, stream, sequence }
      : { ...required, ...rest },
  );

describe('the protected header', () => {
  it('survives encoding and parsing, whatever it holds', () => {
    fc.assert(
      fc.property(header, (value) => {
        expect(parseProtectedHeader(encodeProtectedHeader(value))).toEqual(value);
      }),
    );
  });

  it('has one encoding: bytes that parse are the bytes that encoding gives', () => {
    fc.assert(
      fc.property(header, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, byte) => {
        const encoded = encodeProtectedHeader(value);
        encoded[at % encoded.length] = byte;
        const parsed = parseProtectedHeader(encoded);
        expect(parsed === null || equalBytes(encodeProtectedHeader(parsed), encoded)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('is null, never a throw, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        expect(parseProtectedHeader(random)).toBeNull();
      }),
    );
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(parseProtectedHeader(Buffer.from(json))).toBeNull();
      }),
    );
  });

  it('knows a client nonce by its 16 to 64 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (nonce) => {
        expect(isClientNonce(encodeBase64Url(nonce))).toBe(nonce.length >= 16 && nonce.length <= 64);
      }),
    );
    expect(isClientNonce(`${'A'.repeat(21)}B`)).toBe(false);
  });
});

describe('strict parsers', () => {
  it('an envelope survives parsing and encoding, whatever its parts are', () => {
    fc.assert(
      fc.property(
        header,
        fc.uint8Array({ minLength: 16, maxLength: 500 }),
        bytes(64),
        (value, ciphertext, seed) => {
          const fill = (length: number) => new Uint8Array(length).map((_, index) => seed[index % 64] ?? 0);
          const parts = {
            header: value,
            protectedHeader: encodeProtectedHeader(value),
            enc: fill(1088),
            nonce: fill(12),
            ciphertext: new Uint8Array(ciphertext),
            pqcSignature: fill(3309),
            hmacSignature: fill(64),
          };
          const envelope = encodeEnvelope(parts);
          expect(envelope.encrypted.ciphertext_data).toBe(encodeBase64(ciphertext));
          expect(parseEnvelope(envelope)).toEqual(parts);
        },
      ),
    );
  });

  it('throw their one error or answer null for any JSON value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(() => parseEnvelope(value)).toThrow(new EnvelopeOpenError());
        expect(() => parsePublicJwkSet(suite, value)).toThrowError(
          expect.objectContaining({ code: 'VALIDATION_FAILED' }),
        );
        expect(parseSigningKeys(suite, value)).toBeNull();
        expect(await parseSigningKeyDocument(suite, value)).toBeNull();
        expect(await parseWelcome(suite, Buffer.from(JSON.stringify(value)))).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('read a member once, so a value cannot change between check and use', () => {
    let reads = 0;
    const [first] = vectors.valid;
    const envelope = {
      ...first?.envelope,
      get audit_event_id() {
        reads += 1;
        return reads === 1 ? first?.envelope.audit_event_id : 'aud_other';
      },
    };
    expect(parseEnvelope(envelope).header).toEqual(first?.header);
    expect(reads).toBe(1);
  });

  it('do not take members of a prototype for members', () => {
    const [first] = vectors.valid;
    expect(() => parseEnvelope(Object.create(first?.envelope ?? {}))).toThrow(new EnvelopeOpenError());
    const polluted = JSON.parse(JSON.stringify(first?.envelope).replace('{', '{"__proto__":{},'));
    expect(() => parseEnvelope(polluted)).toThrow(new EnvelopeOpenError());
  });

  it.each([
    ['https://sealdesk.example', true],
    ['https://sealdesk.example/base/', true],
    ['http://localhost:4000', true],
    ['https://user@sealdesk.example', false],
    ['https://:secret@sealdesk.example', false],
    ['https://sealdesk.example/?a=1', false],
    ['https://sealdesk.example/?', false],
    ['https://sealdesk.example/#', false],
    [' https://sealdesk.example', false],
    ['ftp://sealdesk.example', false],
    ['javascript:alert(1)', false],
    ['sealdesk.example', false],
    ['', false],
    [`https://sealdesk.example/${'a'.repeat(2048)}`, false],
    [1, false],
  ])('judge %j as the address of a gateway: %s', (value, expected) => {
    expect(isGatewayUrl(value)).toBe(expected);
  });
});
