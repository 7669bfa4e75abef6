/**
 * The program of a gateway as one file. Of starting a process from source nine tenths go into finding and stripping
 * hundreds of files, which processes that are killed by the dozen would do each time.
 */
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const PROGRAM = fileURLToPath(new URL('gateway-program.ts', import.meta.url));
/** They look for files beside their own. */
const LEFT_IN_PLACE = /^(?:@electric-sql\/pglite|kysely|pino)(?:\/|$)/;

/** Writes it into `folder`; its path. */
export async function buildProgram(folder: string): Promise<string> {
  const build = await rolldown({
    input: PROGRAM,
    platform: 'node',
    logLevel: 'silent',
    // The files of the schema are imported for what they add to it.
    treeshake: false,
    plugins: [
      {
        name: 'left-in-place',
        async resolveId(id, importer) {
          if (!LEFT_IN_PLACE.test(id)) return null;
          const found = await this.resolve(id, importer, { skipSelf: true });
          return found === null ? null : { id: pathToFileURL(found.id).href, external: true };
        },
      },
    ],
  });
  const { output } = await build.write({ dir: folder, format: 'esm', entryFileNames: 'gateway.mjs' });
  await build.close();
  const [program] = output;
  return join(folder, program.fileName);
}
