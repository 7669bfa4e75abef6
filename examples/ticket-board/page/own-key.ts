/** The page's own key: made here once, kept in this browser, and made known to the gateway. */
import {
  confirmKey,
  generateClientKey,
  loadClientKey,
  registerClientKey,
  saveClientKey,
  type WelcomedClientKey,
} from '../../../src/client/index.ts';

/** The key that is kept here, else a new one, registered. The server adds the API key that registering needs. */
export async function openOwnKey(): Promise<WelcomedClientKey> {
  const kept = await loadClientKey();
  if (kept?.state === 'WELCOMED') return kept;
  const key = kept ?? (await generateClientKey());
  await saveClientKey(key);
  const { clientKey } = await registerClientKey(key, { url: location.origin, keep: saveClientKey });
  return clientKey;
}

/** Codes of a key that can never be confirmed any more. */
const ENDED: readonly unknown[] = ['NOT_FOUND', 'KEY_REVOKED', 'CONFLICT'];

/**
 * Sends the confirmation, which may have been lost, once more: `null` where it holds, else why the key is
 * of no use any more. Rejects where the gateway could not be asked.
 */
export async function confirmOwnKey(key: WelcomedClientKey): Promise<string | null> {
  try {
    await confirmKey(key, { url: location.origin });
    return null;
  } catch (error) {
    if (error instanceof Error && ENDED.includes(Reflect.get(error, 'code'))) return error.message;
    throw error;
  }
}
