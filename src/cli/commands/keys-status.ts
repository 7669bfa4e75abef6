import { isSealdeskError } from '../../base/index.ts';
import { isWelcomed, printableLine, type WelcomedKeyFile } from '../../client/index.ts';
import type { Suite } from '../../envelope/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import {
  fingerprintOf,
  nextFileOf,
  readClientKeyFile,
  readClientKeyFileIfPresent,
} from '../client-key-file.ts';
import { defineCommand } from '../command.ts';
import { CONNECTION_OPTIONS, parseGatewayUrl } from '../connection-options.ts';
import { askKeyState, handOver, type KeyState } from '../key-state.ts';

/** A key that ends within it should be rotated. */
const SOON_MS = 30 * 86_400_000;

export const command = defineCommand({
  positionals: ['FILE'],
  options: {
    url: { type: 'string', value: 'URL', help: 'address of the gateway (the one that the key file names)' },
    'insecure-http': CONNECTION_OPTIONS['insecure-http'],
  },
  description: `
Prints what the gateway says of the client key in FILE, and what is to be done next. No API key is
needed: the key's own confirmation is the login, so a key that waits to be confirmed is confirmed by
asking. The exit code is 1 where nothing is sealed to the key.`,
  async run({ values, positionals: [file = ''] }, { terminal }) {
    const suite = createNodeSuite();
    const keyFile = await readClientKeyFile(suite, file);
    if (!isWelcomed(keyFile)) {
      terminal.print('Client key   not registered yet');
      terminal.print(`Fingerprint  ${fingerprintOf(suite, keyFile)}`);
      terminal.print(`Next: sealdesk keys register ${file}`);
      return 1;
    }
    const url = values.url === undefined ? keyFile.gateway : parseGatewayUrl(values.url);
    const state = await askOrRefusal(suite, keyFile, { url, insecureHttp: values['insecure-http'] });
    if (typeof state === 'string') {
      terminal.print(`Client key   ${keyFile.key_id} has ended`);
      terminal.print(`Fingerprint  ${fingerprintOf(suite, keyFile)}`);
      terminal.print(state);
      return 1;
    }
    const next = await readClientKeyFileIfPresent(suite, nextFileOf(file));
    terminal.print(`Client key   ${keyFile.key_id} (${state.status}) of ${keyFile.tenant_id}`);
    terminal.print(`Fingerprint  ${fingerprintOf(suite, keyFile)}`);
    for (const line of linesOf(state)) terminal.print(line);
    terminal.print(nextStep(suite, { file, keyFile, state, isRotating: next !== null }));
    return state.status === 'CONFIRMED' ? 1 : 0;
  },
});

/** The state, or the gateway's text about a key that has ended. */
async function askOrRefusal(
  suite: Suite,
  keyFile: WelcomedKeyFile,
  address: { readonly url: string; readonly insecureHttp: boolean },
): Promise<KeyState | string> {
  try {
    return await askKeyState(suite, keyFile, address);
  } catch (error) {
    const isOver = isSealdeskError(error, 'KEY_REVOKED') || isSealdeskError(error, 'CLIENT_KEY_NOT_MAPPED');
    if (!isOver) throw error;
    return printableLine(error.message);
  }
}

function linesOf({ predecessorId, rotationMode, lastUsedAt, expiresAt, overlapUntil }: KeyState): string[] {
  return [
    ...(predecessorId === null ? [] : [`Successor of ${predecessorId} (${rotationMode ?? 'STRICT'})`]),
    ...(lastUsedAt === null ? [] : [`Last used    ${lastUsedAt.toISOString()}`]),
    ...(expiresAt === null ? [] : [`Ends         ${expiresAt.toISOString()}`]),
    ...(overlapUntil === null ? [] : [`Served until ${overlapUntil.toISOString()}, where it is named`]),
  ];
}

interface Standing {
  readonly file: string;
  readonly keyFile: WelcomedKeyFile;
  readonly state: KeyState;
  readonly isRotating: boolean;
}

function nextStep(suite: Suite, { file, keyFile, state, isRotating }: Standing): string {
  const { status, expiresAt } = state;
  switch (status) {
    case 'CONFIRMED':
      return handOver(suite, keyFile);
    case 'RETIRED':
      return `Next: sealdesk keys rotate ${file} puts its successor in its place.`;
    case 'ACTIVE':
      if (isRotating) return `Next: sealdesk keys rotate ${file} goes on with the rotation.`;
      return expiresAt !== null && expiresAt.getTime() - Date.now() <= SOON_MS
        ? `Next: sealdesk keys rotate ${file}, before it ends.`
        : 'Nothing is to be done.';
    default:
      return status satisfies never;
  }
}
