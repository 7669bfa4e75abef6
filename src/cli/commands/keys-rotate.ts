import { rename } from 'node:fs/promises';
import { isSealdeskError } from '../../base/index.ts';
import {
  encodeKeyFile,
  isWelcomed,
  type KeyFile,
  MAX_KEY_FILE_TEXT,
  rotateKeyFile,
  type WelcomedKeyFile,
} from '../../client/index.ts';
import type { RotationMode, Suite } from '../../envelope/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import {
  fingerprintOf,
  nextFileOf,
  readClientKeyFile,
  readClientKeyFileIfPresent,
} from '../client-key-file.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { CONNECTION_OPTIONS, parseGatewayUrl, readApiKey } from '../connection-options.ts';
import { asUnreached, type GatewayAddress } from '../gateway-call.ts';
import { askKeyState, handOver, type KeyState } from '../key-state.ts';
import { createPrivateFile, readPrivateFileIfPresent, replacePrivateFile } from '../private-file.ts';

export const command = defineCommand({
  positionals: ['FILE'],
  options: {
    ...CONNECTION_OPTIONS,
    url: { type: 'string', value: 'URL', help: 'address of the gateway (the one that the key file names)' },
    strict: { type: 'boolean', help: 'stop the old key at once, before the new one is mapped' },
  },
  description: `
Puts another key in the place of the client key in FILE. Run it first to make the successor: it is written
to FILE.next, registered with a proof by the old key, and confirmed; for that any API key of the tenant is
needed. Hand its id and fingerprint to an ADMIN or OPERATOR, who maps it. Run it again, and once more
where it was not mapped yet, until it says that FILE is the new key: the old one is then kept beside it as
FILE.KEY_ID, since it alone opens what was sealed to it. What broke off goes on where it was.

The old key works until the new one is mapped, and answers that name it for 24 hours more. With --strict it
stops at once and nothing is sealed to either until the new one is mapped. To cancel, have an ADMIN revoke
the successor (mutation revokeClientKey) and delete FILE.next.`,
  async run({ values, positionals: [file = ''] }, { terminal }) {
    const suite = createNodeSuite();
    const keyFile = await readClientKeyFile(suite, file);
    if (!isWelcomed(keyFile)) {
      throw new CommandError(`${file} has not been welcomed by a gateway: sealdesk keys register ${file}.`);
    }
    const url = values.url === undefined ? keyFile.gateway : parseGatewayUrl(values.url);
    const address = { url, insecureHttp: values['insecure-http'] };
    const nextFile = nextFileOf(file);
    const made = await readClientKeyFileIfPresent(suite, nextFile);
    let next = made !== null && isWelcomed(made) ? made : null;
    if (next === null) {
      const apiKey = await readApiKey(values, terminal);
      if (apiKey === null) {
        throw new UsageError('--api-key (or --api-key-file) is needed. See sealdesk keys rotate --help.');
      }
      const mode = values.strict ? 'STRICT' : 'OVERLAP';
      next = await request(suite, { keyFile, next: made, nextFile, mode, apiKey, address });
    }
    const state = await askSuccessor(suite, next, nextFile, address);
    if (state.status === 'ACTIVE') {
      const kept = await putInPlace(file, nextFile, keyFile);
      terminal.print(`${file} is now ${next.key_id}, which is ACTIVE. The key before it is kept in ${kept}.`);
      return 0;
    }
    terminal.print(`Successor    ${next.key_id} (${state.status}) of ${keyFile.key_id}, in ${nextFile}`);
    terminal.print(`Fingerprint  ${fingerprintOf(suite, next)}`);
    terminal.print(
      state.rotationMode === 'STRICT'
        ? `Meanwhile    nothing is sealed to ${keyFile.key_id} any more`
        : `Meanwhile    ${keyFile.key_id} works as before`,
    );
    terminal.print(handOver(suite, next));
    terminal.print(`Then run this again: it puts the new key in the place of ${file}.`);
    return 0;
  },
});

interface Request {
  readonly keyFile: WelcomedKeyFile;
  /** What was made before, and not welcomed. */
  readonly next: KeyFile | null;
  readonly nextFile: string;
  readonly mode: RotationMode;
  readonly apiKey: string;
  readonly address: GatewayAddress;
}

async function request(suite: Suite, input: Request): Promise<WelcomedKeyFile> {
  const { keyFile, next, nextFile, mode, apiKey, address } = input;
  let isThere = next !== null;
  const { keyFile: welcomed } = await rotateKeyFile(suite, {
    gateway: address.url,
    fetch,
    insecureHttp: address.insecureHttp ?? false,
    ...{ keyFile, mode, apiKey },
    ...(next === null ? {} : { next }),
    async keep(made) {
      const text = encodeKeyFile(made);
      await (isThere ? replacePrivateFile(nextFile, text) : createPrivateFile(nextFile, text));
      isThere = true;
    },
  }).catch((error: unknown) => {
    throw asUnreached(error, address.url);
  });
  return welcomed;
}

/** The state of the successor. Throws CommandError where it was cancelled or never confirmed in time. */
async function askSuccessor(
  suite: Suite,
  next: WelcomedKeyFile,
  nextFile: string,
  address: GatewayAddress,
): Promise<KeyState> {
  try {
    return await askKeyState(suite, next, address);
  } catch (error) {
    const isOver = isSealdeskError(error, 'KEY_REVOKED') || isSealdeskError(error, 'NOT_FOUND');
    if (!isOver && !isSealdeskError(error, 'CLIENT_KEY_NOT_MAPPED')) throw error;
    throw new CommandError(
      `The successor ${next.key_id} has ended (${error.code}). Delete ${nextFile} and run this again to make another.`,
      { cause: error },
    );
  }
}

/** Each step leaves both keys on disk, so that it may be broken off anywhere. Where the old key is kept. */
async function putInPlace(file: string, nextFile: string, old: WelcomedKeyFile): Promise<string> {
  const kept = `${file}.${old.key_id}`;
  if ((await readPrivateFileIfPresent(kept, MAX_KEY_FILE_TEXT)) === null) {
    await createPrivateFile(kept, encodeKeyFile(old));
  }
  await rename(nextFile, file);
  return kept;
}
