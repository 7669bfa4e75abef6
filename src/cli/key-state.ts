/**
 * What the gateway says of a key file's key, asked by its confirmation, which is a login of its own: no API key is
 * needed. A key that waits to be confirmed is confirmed by asking.
 */
import { z } from 'zod';
import { isId } from '../base/index.ts';
import type { WelcomedKeyFile } from '../client/index.ts';
import type { Suite } from '../envelope/index.ts';
import { confirmationOf, fingerprintOf } from './client-key-file.ts';
import { askGateway, type GatewayAddress } from './gateway-call.ts';

const QUERY = `mutation SealdeskKeyState($input: ConfirmClientKeyInput!) {
  confirmClientKey(input: $input) {
    clientKey { status expiresAt overlapUntil lastUsedAt predecessorId rotationMode }
  }
}`;

const time = z.iso.datetime().transform((text) => new Date(text));
const KeyStateAnswer = z.object({
  status: z.enum(['CONFIRMED', 'ACTIVE', 'RETIRED']),
  expiresAt: time.nullable(),
  overlapUntil: time.nullable(),
  lastUsedAt: time.nullable(),
  predecessorId: z
    .string()
    .refine((id) => isId('clientKey', id))
    .nullable(),
  rotationMode: z.enum(['STRICT', 'OVERLAP']).nullable(),
});
const answer = z
  .object({ confirmClientKey: z.object({ clientKey: KeyStateAnswer }) })
  .transform(({ confirmClientKey }) => confirmClientKey.clientKey);

/** `RETIRED` only while it overlaps with its successor; of a key that has ended the gateway's failure tells. */
export type KeyState = z.infer<typeof KeyStateAnswer>;

/** Throws KEY_REVOKED or CLIENT_KEY_NOT_MAPPED for a key that has ended, and what `askGateway` throws. */
export async function askKeyState(
  suite: Suite,
  keyFile: WelcomedKeyFile,
  address: GatewayAddress,
): Promise<KeyState> {
  const input = { keyId: keyFile.key_id, mac: await confirmationOf(suite, keyFile) };
  return askGateway(address, { query: QUERY, answer }, { input });
}

/** What the holder hands over so that the key is mapped. */
export function handOver(suite: Suite, keyFile: WelcomedKeyFile): string {
  const { key_id: keyId } = keyFile;
  return (
    `Next: hand the key id ${keyId} and the fingerprint ${fingerprintOf(suite, keyFile)} to an ADMIN of the tenant ` +
    `or an OPERATOR, who compares the fingerprint with you and maps the key: mapClientKey(keyId: "${keyId}").`
  );
}
