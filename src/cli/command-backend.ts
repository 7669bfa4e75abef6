/** The database as a command opens it that runs once and ends. */
import { readConfig } from '../config.ts';
import { FolderHeldError } from '../store/index.ts';
import { CommandError } from './command-error.ts';
import type { Backend, House } from './house.ts';

/**
 * Opens the database of the environment, quietly. Throws CommandError where a running gateway holds
 * its folder; `remedy` then says how to do the same through that gateway.
 */
export async function openCommandBackend(house: House, remedy: (url: string) => string): Promise<Backend> {
  const config = readConfig();
  const isQuiet = config.given.SEALDESK_LOG_LEVEL === undefined;
  try {
    return await house.openBackend(isQuiet ? { ...config, logLevel: 'warn' } : config);
  } catch (error) {
    if (!(error instanceof FolderHeldError)) throw error;
    throw new CommandError(
      `A running gateway (process ${error.pid}) holds the data folder ${config.dataDir}. ${remedy(error.url)}`,
    );
  }
}
