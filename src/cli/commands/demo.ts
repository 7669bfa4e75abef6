import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { DEFAULT_SIMULATOR_PORT, runDemo } from '../demo/run-demo.ts';

export const command = defineCommand({
  options: {
    'simulator-port': {
      type: 'string',
      value: 'PORT',
      help: `port of the simulated Zendesk (${DEFAULT_SIMULATOR_PORT})`,
    },
  },
  description: `
Runs the gateway with a simulated Zendesk beside it: a tenant, an integration, API keys and a client
key are set up, and the first calls to try are printed. Everything is kept in SEALDESK_DATA_DIR
(.sealdesk); demo.json there holds addresses, ids and keys for scripts. A second start keeps the data.
PORT chooses the port of the gateway (4000).`,
  run: ({ values }, context) => runDemo(context, { simulatorPort: parsePort(values['simulator-port']) }),
});

function parsePort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SIMULATOR_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) {
    throw new UsageError(`--simulator-port takes a port from 1 to 65535, got '${text}'.`);
  }
  return port;
}
