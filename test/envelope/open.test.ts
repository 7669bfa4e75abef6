import { describe, expect, it } from 'vitest';
import { createId, encodeUtf8, parseBase64 } from '../../src/base/index.ts';
import {
  ENVELOPE_LIMITS,
  EnvelopeOpenError,
  openEnvelope,
  parseEnvelope,
  parseEnvelopeText,
} from '../../src/envelope/index.ts';
import {
  BINARY_MEMBERS,
  changeMember,
  createParty,
  suitePairs,
  suites,
  syncSuites,
} from './envelope-fixture.ts';

const refusal = new EnvelopeOpenError();
const [node, noble] = syncSuites;
const party = await createParty();

/** `text` with the byte at `index` xor `mask`, in canonical base64. */
function flipByte(text: string, index: number, mask: number): string {
  const bytes = parseBase64(text) ?? new Uint8Array(0);
  bytes[index] = (bytes[index] ?? 0) ^ mask;
  return Buffer.from(bytes).toString('base64');
}

describe('an envelope', () => {
  it.each(suitePairs)('sealed by %s is opened by %s', async (_a, _b, sealer, opener) => {
    for (const length of [0, 1, 15, 16, 17, 1000, 70_000]) {
      const plaintext = sealer.randomBytes(length);
      const { envelope, transcriptSha256 } = await party.seal(sealer, plaintext);
      const opened = await party.open(opener, JSON.parse(JSON.stringify(envelope)));
      expect(opened.plaintext).toEqual(plaintext);
      expect(opened.transcriptSha256).toBe(transcriptSha256);
    }
  });

  it('of the same plaintext differs every time in all that is random', async () => {
    const [first, second] = [
      await party.seal(node, encodeUtf8('{}')),
      await party.seal(node, encodeUtf8('{}')),
    ];
    for (const [section, member] of BINARY_MEMBERS.filter(([, name]) => name !== 'protected')) {
      const read = (envelope: unknown): unknown => JSON.parse(JSON.stringify(envelope))[section][member];
      expect(read(first.envelope)).not.toBe(read(second.envelope));
    }
  });

  it('is refused with one error when any single byte of its members is changed', async () => {
    const { envelope } = await party.seal(node, encodeUtf8('{"tickets":[]}'));
    for (const place of BINARY_MEMBERS) {
      let length = 0;
      changeMember(envelope, place, (text) => {
        length = parseBase64(text)?.length ?? 0;
        return text;
      });
      expect(length).toBeGreaterThan(0);
      for (let index = 0; index < length; index += 1) {
        const mask = 1 << (index % 8);
        const changed = changeMember(envelope, place, (text) => flipByte(text, index, mask));
        await expect(party.open(node, changed), `${place.join('.')}[${index}]`).rejects.toStrictEqual(
          refusal,
        );
      }
    }
  });

  it.each([
    0x01, 0x20,
  ])('is refused with one error when any single byte of its JSON text is changed by %i', async (mask) => {
    const { envelope } = await party.seal(node, encodeUtf8('{"tickets":[]}'));
    const text = Buffer.from(JSON.stringify(envelope));
    for (let index = 0; index < text.length; index += 1) {
      const changed = Buffer.from(text);
      changed[index] = (changed[index] ?? 0) ^ mask;
      let value: unknown;
      try {
        value = JSON.parse(changed.toString('utf8'));
      } catch {
        expect(() => parseEnvelopeText(changed.toString('utf8')), `[${index}]`).toThrow(refusal);
        continue;
      }
      await expect(party.open(node, value), `[${index}]`).rejects.toStrictEqual(refusal);
    }
  });

  it('is refused by the portable suite too when sampled bytes are changed', async () => {
    const { envelope } = await party.seal(noble, encodeUtf8('{"tickets":[]}'));
    const step = process.env['SLOW'] === '1' ? 1 : 97;
    for (const place of BINARY_MEMBERS) {
      let length = 0;
      changeMember(envelope, place, (text) => {
        length = parseBase64(text)?.length ?? 0;
        return text;
      });
      for (let index = 0; index < length; index += step) {
        const changed = changeMember(envelope, place, (text) => flipByte(text, index, 0x80));
        await expect(party.open(noble, changed), `${place.join('.')}[${index}]`).rejects.toStrictEqual(
          refusal,
        );
      }
    }
  });

  it.each(
    suites,
  )('is refused by the $name suite for another recipient, MAC key, tenant or key id', async (suite) => {
    const { envelope } = await party.seal(suite, encodeUtf8('{}'));
    const seed = suite.randomBytes(64);
    const other = await createParty();
    await expect(other.open(suite, envelope, party.expected)).rejects.toStrictEqual(refusal);
    await expect(party.open(suite, envelope, { tenant_id: createId('tenant') })).rejects.toStrictEqual(
      refusal,
    );
    await expect(
      party.open(suite, envelope, { recipient_key_id: createId('clientKey') }),
    ).rejects.toStrictEqual(refusal);
    const opening = openEnvelope(suite, envelope, {
      recipient: await suite.importKemPrivateKey(seed),
      macKey: await suite.importMacKey(seed),
      trustedSigningKeys: party.pins,
      expected: party.expected,
    });
    await expect(opening).rejects.toStrictEqual(refusal);
  });

  it('takes the purposes that are expected, and those only', async () => {
    const { envelope } = await party.seal(node, encodeUtf8('{}'), { purpose: 'graphql.result' });
    await expect(
      party.open(node, envelope, { purposes: ['proxy.result', 'graphql.result'] }),
    ).resolves.toBeDefined();
    await expect(party.open(node, envelope, { purposes: ['proxy.result'] })).rejects.toStrictEqual(refusal);
    await expect(party.open(node, envelope, { purposes: [] })).rejects.toStrictEqual(refusal);
  });

  it('cannot be opened without trusting any signing key, which is a misuse', async () => {
    const { envelope } = await party.seal(node, encodeUtf8('{}'));
    const seed = node.randomBytes(64);
    const opening = openEnvelope(node, envelope, {
      recipient: node.importKemPrivateKey(seed),
      macKey: node.importMacKey(seed),
      trustedSigningKeys: [],
      expected: party.expected,
    });
    await expect(opening).rejects.toThrow(RangeError);
  });
});

describe('limits', () => {
  it('a plaintext of 16 MiB is sealed and opened, one byte more is a misuse', async () => {
    const plaintext = new Uint8Array(ENVELOPE_LIMITS.maxPlaintext + 1);
    await expect(party.seal(node, plaintext)).rejects.toThrow(RangeError);
    const { envelope } = await party.seal(node, plaintext.subarray(1));
    const text = JSON.stringify(envelope);
    expect(text.length).toBeLessThan(ENVELOPE_LIMITS.maxText);
    const opened = await party.open(node, JSON.parse(text));
    expect(opened.plaintext.length).toBe(ENVELOPE_LIMITS.maxPlaintext);
  });

  it('a long ciphertext is decoded as strictly as a short one', async () => {
    const { envelope } = await party.seal(node, new Uint8Array(2 ** 20));
    const wrong = (change: (text: string) => string): unknown =>
      changeMember(envelope, ['encrypted', 'ciphertext_data'], change);
    expect(() => parseEnvelope(wrong((text) => text))).not.toThrow();
    for (const change of [
      (text: string) => `${text.slice(0, 2 ** 20 - 1)}=${text.slice(2 ** 20)}`,
      (text: string) => `${text.slice(0, 2 ** 20 - 2)}==${text.slice(2 ** 20)}`,
      (text: string) => `${text.slice(0, 2 ** 20)}=${text.slice(2 ** 20 + 1)}`,
      (text: string) => `${text} `,
      (text: string) => text.slice(1),
    ]) {
      expect(() => parseEnvelope(wrong(change))).toThrow(refusal);
    }
  });

  it('a longer ciphertext and a longer text are refused before they are decoded', async () => {
    const { envelope } = await party.seal(node, encodeUtf8('{}'));
    const long = 'A'.repeat(Math.ceil((ENVELOPE_LIMITS.maxPlaintext + 17) / 3) * 4 + 4);
    expect(() => parseEnvelope(changeMember(envelope, ['encrypted', 'ciphertext_data'], () => long))).toThrow(
      refusal,
    );
    expect(() => parseEnvelopeText(JSON.stringify(envelope) + ' '.repeat(ENVELOPE_LIMITS.maxText))).toThrow(
      refusal,
    );
  });

  it('claims that the format does not have are a misuse, named in the message', async () => {
    await expect(party.seal(node, encodeUtf8(''), { tenant_id: 'ten_1' })).rejects.toThrow(
      '"header.tenant_id"',
    );
    await expect(party.seal(node, encodeUtf8(''), { purpose: 'ticket.change' })).rejects.toThrow(
      '"header.stream"',
    );
    const more = { purpose: 'proxy.result', note: 'x' } as const;
    await expect(party.seal(node, encodeUtf8(''), more)).rejects.toThrow('"header.note"');
  });
});
