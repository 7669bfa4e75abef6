/** The options of the demo, for each command that starts it. */
import type { OptionValues } from '../command.ts';
import { UsageError } from '../command-error.ts';

const DEFAULT_SIMULATOR_PORT = 4001;

export const DEMO_OPTIONS = {
  'simulator-port': {
    type: 'string',
    value: 'PORT',
    help: `port of the demo's simulated Zendesk (${DEFAULT_SIMULATOR_PORT})`,
  },
} as const;

export interface DemoOptions {
  readonly simulatorPort: number;
}

/** Throws UsageError. */
export function parseDemoOptions(values: OptionValues<typeof DEMO_OPTIONS>): DemoOptions {
  return { simulatorPort: parsePort(values['simulator-port']) };
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_SIMULATOR_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) {
    throw new UsageError(`--simulator-port takes a port from 1 to 65535, got '${text}'.`);
  }
  return port;
}
