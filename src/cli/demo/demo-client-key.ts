/** The demo's client key: made here, registered, confirmed and mapped as any client's would be. */
import { rename } from 'node:fs/promises';
import { isSealdeskError } from '../../base/index.ts';
import {
  createKeyFile,
  encodeKeyFile,
  isWelcomed,
  type KeyFile,
  MAX_KEY_FILE_TEXT,
  parseKeyFileText,
  registerKeyFile,
} from '../../client/index.ts';
import type { Suite } from '../../envelope/index.ts';
import { confirmKeyFile } from '../client-key-file.ts';
import { askGateway } from '../gateway-call.ts';
import { readPrivateFileIfPresent, replacePrivateFile } from '../private-file.ts';
import { CLIENT_KEY_STATUS, MAP_CLIENT_KEY } from './demo-operations.ts';

export interface DemoClientKeyInput {
  readonly suite: Suite;
  readonly url: string;
  readonly tenantId: string;
  readonly adminKey: string;
  readonly operatorKey: string;
  /** Path of the key file. */
  readonly path: string;
}

/** The id of an ACTIVE client key whose private half is in the key file. What is in the way is kept under another name. */
export async function ensureDemoClientKey(input: DemoClientKeyInput): Promise<string> {
  const { suite, url, operatorKey, path } = input;
  const kept = await takeUp(input, await readOrSetAside(suite, path));
  const keyId = kept ?? (await registerNew(input));
  if ((await statusOf(input, keyId)) !== 'ACTIVE') {
    await askGateway({ url, insecureHttp: true, apiKey: operatorKey }, MAP_CLIENT_KEY, { id: keyId });
  }
  return keyId;
}

/** The id of the key in `file` if it can still become or is ACTIVE in this tenant, else `null`. */
async function takeUp(input: DemoClientKeyInput, file: KeyFile | null): Promise<string | null> {
  const { suite, url, tenantId, path } = input;
  if (file === null) return null;
  if (isWelcomed(file) && file.tenant_id === tenantId) {
    const status = await statusOf(input, file.key_id);
    if (status === 'ACTIVE' || status === 'CONFIRMED') return file.key_id;
    if (status === 'PENDING') {
      await confirmKeyFile(suite, file, { gateway: url, fetch, insecureHttp: true });
      return file.key_id;
    }
  }
  await setAside(path);
  return null;
}

async function registerNew({ suite, url, adminKey, path }: DemoClientKeyInput): Promise<string> {
  const keyFile = createKeyFile(suite);
  const keep = (file: KeyFile): Promise<void> => replacePrivateFile(path, encodeKeyFile(file));
  await keep(keyFile);
  const registered = await registerKeyFile(suite, {
    gateway: url,
    insecureHttp: true,
    fetch,
    apiKey: adminKey,
    keyFile,
    keep,
  });
  return registered.keyFile.key_id;
}

async function statusOf({ url, adminKey }: DemoClientKeyInput, id: string): Promise<string | null> {
  try {
    const { node } = await askGateway({ url, insecureHttp: true, apiKey: adminKey }, CLIENT_KEY_STATUS, {
      id,
    });
    return node?.status ?? null;
  } catch (error) {
    if (isSealdeskError(error, 'NOT_FOUND')) return null;
    throw error;
  }
}

async function readOrSetAside(suite: Suite, path: string): Promise<KeyFile | null> {
  const text = await readPrivateFileIfPresent(path, MAX_KEY_FILE_TEXT);
  if (text === null) return null;
  try {
    return parseKeyFileText(suite, text);
  } catch (error) {
    if (!isSealdeskError(error)) throw error;
    await setAside(path);
    return null;
  }
}

/** A private key may be the only one that opens some envelope, so it is never deleted. */
async function setAside(path: string): Promise<void> {
  await rename(path, `${path.replace(/\.json$/, '')}.replaced-${Date.now()}.json`);
}
