import { isConfigured } from '../../config.ts';
import { defineCommand } from '../command.ts';
import { runDemo } from '../demo/run-demo.ts';
import { serve } from './serve.ts';

export const command = defineCommand({
  description: `
What npm start runs: the demo where the environment has none of our settings but PORT, else the gateway
(sealdesk serve).`,
  run: (_input, context) => (isConfigured() ? serve(context) : runDemo(context)),
});
