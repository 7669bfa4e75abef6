/** Key files on disk, over the SDK's format. */
import { encodeBase64, parseBase64 } from '../base/index.ts';
import {
  confirmClientKey,
  fingerprint,
  type GatewayConnection,
  importKeys,
  type KeyFile,
  MAX_KEY_FILE_TEXT,
  parseKeyFileText,
  type WelcomedKeyFile,
} from '../client/index.ts';
import { macConfirmation, type Suite } from '../envelope/index.ts';
import { CommandError } from './command-error.ts';
import { readPrivateFile, readPrivateFileIfPresent } from './private-file.ts';

/** The key file at `path`. Throws what {@link readPrivateFile} and `parseKeyFileText` throw. */
export async function readClientKeyFile(suite: Suite, path: string): Promise<KeyFile> {
  return parseKeyFileText(suite, await readPrivateFile(path, MAX_KEY_FILE_TEXT));
}

/** Where the successor of a key file is kept until it is put in its place. */
export function nextFileOf(path: string): string {
  return `${path}.next`;
}

/** As {@link readClientKeyFile}, or `null` where there is no such file. */
export async function readClientKeyFileIfPresent(suite: Suite, path: string): Promise<KeyFile | null> {
  const text = await readPrivateFileIfPresent(path, MAX_KEY_FILE_TEXT);
  return text === null ? null : parseKeyFileText(suite, text);
}

/** The fingerprint of the client key, over both its public halves. */
export function fingerprintOf(suite: Suite, file: KeyFile): string {
  const { kem, sig } = importKeys(suite, file);
  return fingerprint(suite, { kem: kem.kid, sig: sig.kid });
}

/** The confirmation of a welcomed key, base64: the same at every time, so it may be sent again. */
export async function confirmationOf(suite: Suite, file: WelcomedKeyFile): Promise<string> {
  const { kem, sig } = importKeys(suite, file);
  const macKey = parseBase64(file.mac_key);
  if (macKey === null) throw new CommandError('The mac_key of the key file is malformed.');
  const mac = await macConfirmation(suite.importMacKey(macKey), {
    tenant_id: file.tenant_id,
    key_id: file.key_id,
    kem_kid: kem.kid,
    sig_kid: sig.kid,
  });
  macKey.fill(0);
  return encodeBase64(mac);
}

/** Confirms a welcomed key, once more if need be. What the gateway says of the key then. */
export async function confirmKeyFile(
  suite: Suite,
  file: WelcomedKeyFile,
  connection: GatewayConnection,
): Promise<string> {
  return confirmClientKey({ ...connection, keyId: file.key_id, mac: await confirmationOf(suite, file) });
}
