import { readConfig } from '../../config.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { muteExperimentalWarnings } from '../experimental-warnings.ts';
import { openStopRequest } from '../stop-request.ts';

/** Runs the gateway until a signal asks it to stop. */
export async function serve({ house }: CommandContext): Promise<number> {
  const config = readConfig();
  using stop = openStopRequest();
  // Key-signed logins are verified by Web Crypto.
  using _quiet = muteExperimentalWarnings();
  await using backend = await house.openBackend(config);
  const { log } = backend.deps;
  await using gateway = await house.openGateway(config, backend);
  log.info('Listening', { host: config.host, port: gateway.port, publicUrl: config.publicUrl });
  const signal = await stop.received;
  log.info('Stopping: answers under way are finished first', { signal });
  return 0;
}

export const command = defineCommand({
  description: `
Runs the gateway with the settings of the environment (sealdesk doctor lists them). The database is
brought to the newest version first. SIGTERM and SIGINT let answers under way finish; another
signal, or the same a second later, ends it at once.`,
  run: (_input, context) => serve(context),
});
