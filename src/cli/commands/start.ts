import { isConfigured } from '../../config.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { DEMO_OPTIONS, parseDemoOptions } from '../demo/demo-options.ts';
import { runDemo } from '../demo/run-demo.ts';
import { serve } from './serve.ts';

export const command = defineCommand({
  options: DEMO_OPTIONS,
  description: `
What npm start runs: the demo where the environment has none of our settings but PORT, else the gateway
(sealdesk serve), which takes none of these options. With npm, options stand behind two dashes:
npm start -- --simulator-port 4002.`,
  async run({ values }, context) {
    const options = parseDemoOptions(values);
    if (!isConfigured()) return runDemo(context, options);
    const given = Object.entries(values).find(([, value]) => value !== undefined);
    if (given === undefined) return serve(context);
    throw new UsageError(
      `--${given[0]} is for the demo, but the environment has settings of a gateway, so that start runs it. Leave the option out, or run sealdesk demo.`,
    );
  },
});
