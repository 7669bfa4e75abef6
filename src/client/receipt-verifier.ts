/** The verification of receipts, over the primitives of the platform; loaded by `verifyReceipt`. */
import { sha256 } from '@noble/hashes/sha2.js';
import { type Bytes, encodeBase64, encodeBase64Url, parseBase64 } from '../base/index.ts';
import { encodeTranscript, parseEnvelope } from '../envelope/index.ts';
import {
  BUNDLE_LIMITS,
  encodeVerifierKey,
  type LoggedAnswer,
  type NoteSuite,
  type NoteVerifier,
  parseVerifierKey,
  type Receipt,
  verifyReceipt,
} from '../tlog/index.ts';
import type { AuditReceipt, ReceiptKey, VerifiedReceipt, VerifyReceiptInput } from './audit-receipt.ts';
import { loadSuite } from './load-suite.ts';
import { ReceiptError } from './receipt-error.ts';

export async function proveLogged(input: VerifyReceiptInput): Promise<VerifiedReceipt> {
  const answer = answerIn(input.envelope);
  const pins = (input.keys ?? []).map(parsePin);
  const receipt = parseReceipt(input.receipt);
  if (receipt === null) throw new ReceiptError('MALFORMED');
  const verdict = await verifyReceipt(await createNoteSuite(), receipt, { answer, pins });
  if (verdict.kind === 'REFUSED') throw new ReceiptError(verdict.failure);
  const { leaf, checkpoint } = verdict;
  return {
    index: leaf.index,
    event: leaf.members,
    checkpoint: { ...checkpoint, root: encodeBase64(checkpoint.root) },
    keys: verdict.keys.map(
      ({ key, trust }): ReceiptKey => ({
        verifierKey: encodeVerifierKey(key),
        trust: trust === 'PINNED' ? 'PINNED' : 'FIRST_USE',
      }),
    ),
  };
}

function answerIn(envelope: unknown): LoggedAnswer {
  const parsed = parseEnvelope(envelope);
  return {
    tenantId: parsed.header.tenant_id,
    auditEventId: parsed.header.audit_event_id,
    transcriptSha256: encodeBase64Url(sha256(encodeTranscript(parsed))),
  };
}

function parsePin(text: string): NoteVerifier {
  const pin = parseVerifierKey(sha256, text);
  if (pin === null) throw new TypeError('"keys" must be verifier keys of the log');
  return pin;
}

/** The receipt in bytes, or `null`; it comes from a gateway, whatever its type says. */
function parseReceipt(receipt: Readonly<Record<keyof AuditReceipt, unknown>>): Receipt | null {
  const leaf = parseText(receipt.leaf, parseBase64);
  const inclusionProof = parseList(receipt.inclusionProof, BUNDLE_LIMITS.maxHashes, parseBase64);
  const keys = parseList(receipt.verifierKeys, BUNDLE_LIMITS.maxKeys, (text) =>
    parseVerifierKey(sha256, text),
  );
  const { checkpoint } = receipt;
  if (leaf === null || inclusionProof === null || keys === null || typeof checkpoint !== 'string')
    return null;
  return { leaf, inclusionProof, checkpoint, keys };
}

function parseText<Value>(value: unknown, parse: (text: string) => Value | null): Value | null {
  return typeof value === 'string' && value.length <= BUNDLE_LIMITS.maxLine ? parse(value) : null;
}

function parseList<Value>(
  value: unknown,
  maximum: number,
  parse: (text: string) => Value | null,
): readonly Value[] | null {
  if (!Array.isArray(value) || value.length > maximum) return null;
  const items = value.map((item) => parseText(item, parse)).filter((item) => item !== null);
  return items.length === value.length ? items : null;
}

const LACKS_ED25519 =
  'This platform cannot verify receipts: it has no Ed25519 in Web Crypto, or the page is no secure context.';

/** Web Crypto has no synchronous hash, and a proof is made of a few dozen: noble's, of a few kilobytes. */
async function createNoteSuite(): Promise<NoteSuite> {
  const suite = await loadSuite();
  return Object.freeze<NoteSuite>({
    sha256,
    async verifyEd25519(publicKey, message, signature) {
      const subtle: typeof globalThis.crypto.subtle | undefined = globalThis.crypto.subtle;
      if (subtle === undefined) throw new Error(LACKS_ED25519);
      try {
        const key = await subtle.importKey('raw', copyOf(publicKey), 'Ed25519', false, ['verify']);
        return await subtle.verify('Ed25519', key, copyOf(signature), copyOf(message));
      } catch (error) {
        // Some platforms refuse bytes that are no point of the curve when the key is imported.
        const name = error instanceof DOMException ? error.name : '';
        if (name === 'DataError') return false;
        throw name === 'NotSupportedError' ? new Error(LACKS_ED25519, { cause: error }) : error;
      }
    },
    async verifyMlDsa65(publicKey, message, signature, context) {
      return (await suite.importVerifyingKey(publicKey)).verify(message, signature, context);
    },
  });
}

const copyOf = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);
