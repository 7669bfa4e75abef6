import { readConfig } from '../../config.ts';
import { openStore } from '../../store/index.ts';
import { defineCommand } from '../command.ts';
import { storeLocation } from '../store-location.ts';

export const command = defineCommand({
  description: `
Applies to the database of the environment what migrations it lacks and prints their names. Starting the
gateway does the same; many may do it at once.`,
  async run(_input, { terminal }) {
    const config = readConfig();
    await using store = await openStore({ location: storeLocation(config), tenantRole: config.dbRole });
    for (const name of store.applied) terminal.print(`applied ${name}`);
    if (store.applied.length === 0) terminal.print('The database is up to date.');
    return 0;
  },
});
