/** The options by which a command reaches a running gateway. */
import { isGatewayUrl } from '../envelope/index.ts';
import { CommandError, UsageError } from './command-error.ts';
import { readInputText } from './read-input.ts';
import type { Terminal } from './terminal.ts';

const MAX_API_KEY_BYTES = 1024;

export const CONNECTION_OPTIONS = {
  url: { type: 'string', value: 'URL', help: 'address of the gateway' },
  'api-key': { type: 'string', value: 'KEY', help: 'API key; other users of this machine may see it' },
  'api-key-file': { type: 'string', value: 'FILE', help: 'file with the API key, - for standard input' },
  'insecure-http': {
    type: 'boolean',
    help: 'send over http:// to another machine, too, where anybody on the way reads it',
  },
} as const;

export interface ConnectionValues {
  readonly url: string | undefined;
  readonly 'api-key': string | undefined;
  readonly 'api-key-file': string | undefined;
}

/** The API key that the options name, or `null`. Throws UsageError for two, CommandError for what is none. */
export async function readApiKey(values: ConnectionValues, terminal: Terminal): Promise<string | null> {
  const { 'api-key': given, 'api-key-file': file } = values;
  if (given !== undefined && file !== undefined) {
    throw new UsageError('--api-key and --api-key-file exclude each other.');
  }
  const text = file === undefined ? given : await readInputText(terminal, file, MAX_API_KEY_BYTES);
  if (text === undefined) return null;
  const apiKey = text.trim();
  if (!/^[\x21-\x7e]+$/.test(apiKey)) throw new CommandError('The API key is empty or no API key.');
  return apiKey;
}

/** `url` as a gateway's address. Throws UsageError. */
export function parseGatewayUrl(url: string): string {
  if (!isGatewayUrl(url)) {
    throw new UsageError(
      `--url takes the address of a gateway such as https://sealdesk.example.com, got '${url}'.`,
    );
  }
  return url;
}
