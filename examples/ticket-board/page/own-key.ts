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

/** Sends the confirmation again: it may have been lost, and says where the key stands. */
export async function confirmOwnKey(key: WelcomedClientKey): Promise<string> {
  return confirmKey(key, { url: location.origin });
}
