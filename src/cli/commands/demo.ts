import { defineCommand } from '../command.ts';
import { DEMO_OPTIONS, parseDemoOptions } from '../demo/demo-options.ts';
import { runDemo } from '../demo/run-demo.ts';

export const command = defineCommand({
  options: DEMO_OPTIONS,
  description: `
Runs the gateway with a simulated Zendesk beside it: a tenant, an integration, API keys and a client
key are set up, and the first calls to try are printed. Everything is kept in SEALDESK_DATA_DIR
(.sealdesk); demo.json there holds addresses, ids and keys for scripts. A second start keeps the data.
PORT chooses the port of the gateway (4000).`,
  run: ({ values }, context) => runDemo(context, parseDemoOptions(values)),
});
