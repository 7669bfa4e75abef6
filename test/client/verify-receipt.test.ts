import { afterEach, describe, expect, it, vi } from 'vitest';
import { createId, encodeBase64, encodeUtf8 } from '../../src/base/index.ts';
import {
  type AuditReceipt,
  EnvelopeOpenError,
  ReceiptError,
  type VerifyReceiptInput,
  verifyReceipt,
} from '../../src/client/index.ts';
import { createParty, syncSuites } from '../envelope/envelope-fixture.ts';
import { FixtureLog, LogKeys } from '../tlog/log-fixture.ts';
import { changedBits } from '../tlog/naive-tree.ts';

const party = await createParty();
const { claims } = party;
const { envelope, transcriptSha256 } = await party.seal(syncSuites[0], encodeUtf8('{"a":1}'));
const log = createLog(new LogKeys('receipts'));

function createLog(keys: LogKeys, tenantId = claims.tenant_id): FixtureLog {
  return new FixtureLog(keys, { tenantId })
    .append(11)
    .append(1, {
      id: claims.audit_event_id,
      envelopes: [
        { keyId: createId('clientKey'), sha256: 'A'.repeat(43) },
        { keyId: claims.recipient_key_id, sha256: transcriptSha256 },
      ],
    })
    .append(9);
}

function receiptOf(from: FixtureLog, index = 11): AuditReceipt {
  return {
    leaf: encodeBase64(from.leaves[index] ?? new Uint8Array(0)),
    inclusionProof: from.inclusionProof(index).map(encodeBase64),
    checkpoint: from.checkpoint(),
    verifierKeys: from.verifierKeys(),
  };
}

const receipt = receiptOf(log);

async function codeOf(change: Partial<VerifyReceiptInput> | { receipt: unknown }): Promise<string> {
  try {
    await verifyReceipt({ envelope, receipt, ...(change as Partial<VerifyReceiptInput>) });
    return 'LOGGED';
  } catch (error) {
    if (error instanceof ReceiptError) return error.code;
    throw error;
  }
}

describe('A receipt', () => {
  it('proves to the client that this very answer was logged', async () => {
    const [ed25519, mlDsa65] = log.verifierKeys();
    const proven = await verifyReceipt({ envelope, receipt, keys: [ed25519, mlDsa65] });
    expect(proven).toMatchObject({
      index: 11,
      event: { id: claims.audit_event_id, index: 11, tenantId: claims.tenant_id },
      checkpoint: { origin: log.origin, size: 21, root: encodeBase64(log.root(21)) },
      keys: [
        { verifierKey: ed25519, trust: 'PINNED' },
        { verifierKey: mlDsa65, trust: 'PINNED' },
      ],
    });
  });

  it('says which keys are believed only because it brings them', async () => {
    const trusts = async (keys?: readonly string[]) =>
      (await verifyReceipt({ envelope, receipt, ...(keys && { keys }) })).keys.map(({ trust }) => trust);
    expect(await trusts()).toEqual(['FIRST_USE', 'FIRST_USE']);
    expect(await trusts(log.verifierKeys().slice(1))).toEqual(['FIRST_USE', 'PINNED']);
  });

  it('is refused for any other answer', async () => {
    const again = await party.seal(syncSuites[0], encodeUtf8('{"a":1}'));
    expect(await codeOf({ envelope: again.envelope })).toBe('NOT_LISTED');
    const elsewhere = await party.seal(syncSuites[0], encodeUtf8('{}'), {
      audit_event_id: createId('auditEvent'),
    });
    expect(await codeOf({ envelope: elsewhere.envelope })).toBe('OTHER_EVENT');
    expect(await codeOf({ receipt: receiptOf(log, 3) })).toBe('OTHER_EVENT');
    const foreign = await party.seal(syncSuites[0], encodeUtf8('{}'), { tenant_id: createId('tenant') });
    expect(await codeOf({ envelope: foreign.envelope })).toBe('OTHER_LOG');
    await expect(verifyReceipt({ envelope: {}, receipt })).rejects.toBeInstanceOf(EnvelopeOpenError);
  });

  it('is refused with other keys than those that are known', async () => {
    const stranger = createLog(new LogKeys('stranger'));
    expect(await codeOf({ receipt: receiptOf(stranger) })).toBe('LOGGED');
    expect(await codeOf({ receipt: receiptOf(stranger), keys: log.verifierKeys() })).toBe('KEY_NOT_PINNED');
    expect(await codeOf({ receipt: { ...receipt, verifierKeys: stranger.verifierKeys() } })).toBe(
      'NOT_SIGNED',
    );
    const other = new FixtureLog(new LogKeys('receipts')).append(1);
    expect(await codeOf({ keys: other.verifierKeys() })).toBe('OTHER_LOG');
    await expect(verifyReceipt({ envelope, receipt, keys: ['x'] })).rejects.toBeInstanceOf(TypeError);
  });

  it('is refused with its leaf or proof changed', async () => {
    const [first = ''] = receipt.inclusionProof;
    for (const changed of [...changedBits(Buffer.from(first, 'base64'))].slice(0, 16)) {
      const inclusionProof = [encodeBase64(changed), ...receipt.inclusionProof.slice(1)];
      expect(await codeOf({ receipt: { ...receipt, inclusionProof } })).toBe('NOT_INCLUDED');
    }
    const inclusionProof = receipt.inclusionProof.slice(1);
    expect(await codeOf({ receipt: { ...receipt, inclusionProof } })).toBe('NOT_INCLUDED');
    const leaf = Buffer.from(receipt.leaf, 'base64').toString().replace('"SUCCEEDED"', '"SUCCEEDEE"');
    expect(await codeOf({ receipt: { ...receipt, leaf: encodeBase64(encodeUtf8(leaf)) } })).toBe(
      'NOT_INCLUDED',
    );
    const spaced = encodeBase64(encodeUtf8(` ${leaf}`));
    expect(await codeOf({ receipt: { ...receipt, leaf: spaced } })).toBe('LEAF_NOT_CANONICAL');
  });

  it('is refused with a checkpoint that was changed', async () => {
    for (const checkpoint of [
      receipt.checkpoint.replace('\n21\n', '\n22\n'),
      receipt.checkpoint.replace('\u2014 ', '\u2014  '),
      receipt.checkpoint.split('\n').toSpliced(4, 1).join('\n'),
      receipt.checkpoint.split('\n').toSpliced(5, 1).join('\n'),
      '',
    ]) {
      expect(await codeOf({ receipt: { ...receipt, checkpoint } })).toBe('NOT_SIGNED');
    }
  });

  it('is refused where it is malformed', async () => {
    const wrong: Record<string, unknown> = {
      leaf: [1, '', 'A', 'A'.repeat(2_000_000)],
      inclusionProof: [null, {}, ['A'], [1], Array(200).fill(encodeBase64(new Uint8Array(32)))],
      checkpoint: [1, null],
      verifierKeys: [null, ['x'], [1], Array(20).fill(log.verifierKeys()[0])],
    };
    for (const [member, values] of Object.entries(wrong)) {
      for (const value of values as unknown[]) {
        const code = await codeOf({ receipt: { ...receipt, [member]: value } });
        expect({ member, value, code }).toEqual({
          member,
          value,
          code: value === '' ? 'LEAF_NOT_CANONICAL' : 'MALFORMED',
        });
      }
    }
  });
});

describe('A platform', () => {
  const platform = crypto;

  /** Web Crypto as it is without `lacking`; without it as a whole where that is `null`. */
  async function verifyWithout(lacking: readonly string[] | null): Promise<unknown> {
    const refuse = () => Promise.reject(new DOMException('no such algorithm', 'NotSupportedError'));
    const get = (target: SubtleCrypto, name: string): unknown => {
      const method: unknown = Reflect.get(target, name);
      if (lacking?.includes(name)) return refuse;
      return typeof method === 'function' ? method.bind(target) : method;
    };
    const subtle = lacking === null ? undefined : new Proxy(platform.subtle, { get });
    vi.stubGlobal('crypto', { subtle, getRandomValues: platform.getRandomValues.bind(platform) });
    vi.resetModules();
    const client = await import('../../src/client/index.ts');
    return client.verifyReceipt({ envelope, receipt });
  }
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it('without ML-DSA verifies receipts by the portable suite', async () => {
    expect(await verifyWithout(['decapsulateBits'])).toMatchObject({ index: 11 });
  });

  it('without Ed25519 or a secure context says what it lacks', async () => {
    await expect(verifyWithout(['importKey'])).rejects.toThrow(/no Ed25519 in Web Crypto/);
    await expect(verifyWithout(null)).rejects.toThrow(/no secure context/);
  });
});
