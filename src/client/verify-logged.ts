/**
 * The receipt of an envelope, fetched and verified. The keys of the log are trusted on first use, as those that
 * sign envelopes are when a key is welcomed; from then on a receipt by other keys is refused.
 */
import type { JsonObject } from '../base/index.ts';
import type { AuditReceipt, VerifiedReceipt } from './audit-receipt.ts';
import { pick, refusalIn } from './gateway.ts';
import type { KeyOpener } from './key-opener.ts';
import { verifyReceipt } from './verify-receipt.ts';

const DOCUMENT =
  'query SealdeskReceipt($id: ID!) { auditReceipt(auditEventId: $id) { leaf verifierKeys inclusionProof { hashes checkpoint { note } } } }';

type Request = (document: string, variables: JsonObject) => Promise<object>;

/** Rejects as `verifyReceipt` of a client does. */
export async function verifyLogged(
  opener: KeyOpener,
  request: Request,
  envelope: unknown,
): Promise<VerifiedReceipt> {
  const { header } = await opener.open(envelope);
  const receipt = receiptIn(await request(DOCUMENT, { id: header.audit_event_id }));
  for (;;) {
    const { logKeys } = opener.key;
    const verified = await verifyReceipt({
      envelope,
      receipt,
      ...(logKeys === undefined ? {} : { keys: logKeys }),
    });
    if (logKeys !== undefined) return verified;
    // Of two that come first the second is held against the keys of the first.
    if (opener.key.logKeys === undefined) {
      await opener.pinLogKeys(verified.keys.map(({ verifierKey }) => verifierKey));
      return verified;
    }
  }
}

/** What is in the answer, in the form of a receipt: its parts are judged by who verifies it. */
function receiptIn(answer: object): AuditReceipt {
  const receipt = pick(answer, 'data', 'auditReceipt');
  if (typeof receipt !== 'object' || receipt === null) throw refusalIn(answer, 'gave no receipt');
  return {
    leaf: pick(receipt, 'leaf'),
    inclusionProof: pick(receipt, 'inclusionProof', 'hashes'),
    checkpoint: pick(receipt, 'inclusionProof', 'checkpoint', 'note'),
    verifierKeys: pick(receipt, 'verifierKeys'),
  } as AuditReceipt;
}
