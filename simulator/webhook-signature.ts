/** How webhook requests are signed (verifying page): base64(HMAC-SHA-256(secret, timestamp ‖ raw body)). */
import { createHmac } from 'node:crypto';

/** The secret of "Test webhook" before the webhook exists; printed in Zendesk's documentation. */
export const TEST_WEBHOOK_SECRET = 'dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==';

/** The key is the secret's text as given, not what it decodes to; `timestamp` is the header's text. */
export const signWebhook = (secret: string, timestamp: string, rawBody: string | Uint8Array): string =>
  createHmac('sha256', secret).update(timestamp).update(rawBody).digest('base64');
