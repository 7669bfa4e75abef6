/** A client over a key file: where a command asks sealed, as any program would. */
import {
  type ClientOptions,
  clientKeyFromFile,
  createClient,
  encodeKeyFile,
  isWelcomed,
  type SealdeskClient,
  type WelcomedClientKey,
  type WelcomedKeyFile,
  withPins,
} from '../client/index.ts';
import { createNodeSuite } from '../envelope/node.ts';
import { nextFileOf, readClientKeyFile, readClientKeyFileIfPresent } from './client-key-file.ts';
import { CommandError } from './command-error.ts';
import { parseGatewayUrl } from './connection-options.ts';
import { replacePrivateFile } from './private-file.ts';

export interface KeyFileClientInput {
  /**
   * Path of the key file. It is rewritten when the gateway has changed its signing key. While it is rotated, its
   * successor beside it (`sealdesk keys rotate`) is used when nothing is sealed to it any more.
   */
  readonly file: string;
  /** `null` where the key of the file logs in by itself. */
  readonly apiKey: string | null;
  /** Another address than the key file names. */
  readonly url: string | undefined;
  readonly insecureHttp: boolean;
}

export interface KeyFileClient {
  readonly client: SealdeskClient;
  /** Where the gateway answers. */
  readonly url: string;
}

/** Throws CommandError for a key that no gateway has welcomed, UsageError for an address that is none. */
export async function openKeyFileClient(input: KeyFileClientInput): Promise<KeyFileClient> {
  const { file, apiKey, insecureHttp } = input;
  const keyFile = await readWelcomedKeyFile(file);
  const url = input.url === undefined ? keyFile.gateway : parseGatewayUrl(input.url);
  const nextFile = nextFileOf(file);
  const next = await readClientKeyFileIfPresent(createNodeSuite(), nextFile);
  const successor = next !== null && isWelcomed(next) ? next : null;
  const options: ClientOptions = {
    ...{ url, insecureHttp },
    ...(apiKey === null ? {} : { apiKey }),
    clientKey: await readClientKey(keyFile),
    ...(successor === null ? {} : { successor: await readClientKey(successor) }),
    async onPins({ keyId, signingKeys, logKeys }) {
      const [path, kept] = keyId === successor?.key_id ? [nextFile, successor] : [file, keyFile];
      await replacePrivateFile(path, encodeKeyFile(withPins(kept, signingKeys, logKeys)));
    },
  };
  return { client: createClient(options), url };
}

async function readWelcomedKeyFile(file: string): Promise<WelcomedKeyFile> {
  const keyFile = await readClientKeyFile(createNodeSuite(), file);
  if (isWelcomed(keyFile)) return keyFile;
  throw new CommandError(`${file} has not been welcomed by a gateway: sealdesk keys register ${file}.`);
}

async function readClientKey(keyFile: WelcomedKeyFile): Promise<WelcomedClientKey> {
  const clientKey = await clientKeyFromFile(encodeKeyFile(keyFile));
  if (clientKey.state !== 'WELCOMED') throw new TypeError('A welcomed key file holds a welcomed key');
  return clientKey;
}

/** The SDK refuses clear http as wrong use by its program; here the user chose the address. */
export function asUnsent(error: unknown): unknown {
  const isUnsent = error instanceof TypeError && error.message.startsWith('Nothing was sent');
  return isUnsent ? new CommandError(error.message) : error;
}
