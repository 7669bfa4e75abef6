/** The ticket board beside the demo of `npm start`, until it is interrupted. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { openBoardServer } from './board-server.ts';
import { openDemoAccess, readDemoFile } from './demo-access.ts';

const DEMO_FILE = '.sealdesk/demo.json';
const PORT = 5173;

const HELP = `Usage: npm run example -- [OPTIONS]

Serves the ticket board to browsers of this machine, beside the demo that npm start runs in another
terminal. Ctrl+C stops it.

Options:
  --port PORT  port of the board (${PORT}); 0 takes a free one
  --demo FILE  demo.json of the demo, where its data are elsewhere (${DEMO_FILE})
  --help       this text
`;

/** What the user can act on: shown as one line, exit code 1. */
class ExampleError extends Error {}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        demo: { type: 'string', default: DEMO_FILE },
        port: { type: 'string', default: String(PORT) },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    const [reason = ''] = error instanceof Error ? error.message.split(/\. |\n/) : [];
    throw new ExampleError(`${reason}. See npm run example -- --help.`);
  }
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535)
    throw new ExampleError(`--port takes a port from 0 to 65535, got '${text}'.`);
  return port;
}

async function openDemo(file: string) {
  try {
    const admin = await readDemoFile(file);
    return { gateway: admin.url, access: await openDemoAccess(admin) };
  } catch (cause) {
    throw new ExampleError(
      `The ticket board needs the demo, as ${file} tells of it: start it with npm start in another terminal.`,
      { cause },
    );
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

async function run(): Promise<void> {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const port = parsePort(options.port);
  const { gateway, access: opened } = await openDemo(options.demo);
  await using access = opened;
  const { apiKey, mapKey } = access;
  await using board = await openBoardServer({ port, gateway, apiKey, mapKey }).catch((error: unknown) => {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    throw new ExampleError(`Port ${port} is in use: choose another with npm run example -- --port PORT.`);
  });
  console.log(`Ticket board  ${board.url}\nCtrl+C stops it.`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}

try {
  await run();
} catch (error) {
  if (!(error instanceof ExampleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
