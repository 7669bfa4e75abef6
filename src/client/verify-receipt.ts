/** Receipts: the proof, from the audit log, that the gateway recorded an answer. Specified in `docs/audit.md`. */
import type { VerifiedReceipt, VerifyReceiptInput } from './audit-receipt.ts';

/**
 * Proves that the log recorded this very envelope. Throws ReceiptError where the receipt does not prove
 * it, EnvelopeOpenError for what is no envelope, TypeError where a key of `keys` is none, and Error
 * where the platform lacks Ed25519 (Web Crypto in a secure context). It does not
 * say that the gateway made the envelope (opening it does) nor that the log is shown alike to everybody.
 */
export async function verifyReceipt(input: VerifyReceiptInput): Promise<VerifiedReceipt> {
  // Loaded when it is asked for: pages that only open answers never need it.
  const { proveLogged } = await import('./receipt-verifier.ts');
  return proveLogged(input);
}
