/** Where the program lies, from source or from a build. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';

/** Folder of Sealdesk's own package.json. */
export function findPackageRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new TypeError('The program lies in no package');
    folder = parent;
  }
  return folder;
}

export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(findPackageRoot(), 'package.json'), 'utf8'));
  return z.object({ version: z.string() }).parse(manifest).version;
}

/** How a shell in the working folder calls this program. */
export function programCall(): string {
  const root = findPackageRoot();
  if (root.split(sep).includes('node_modules')) return 'npx sealdesk';
  return `node ${shownPath(join(root, 'bin', 'sealdesk.mjs'))}`;
}

/** `path` as a shell in the working folder would name it. */
export function shownPath(path: string): string {
  const below = relative(process.cwd(), path);
  return quoteForShell(below.startsWith('..') ? path : below);
}

/** `text` as one word of a POSIX shell. */
export function quoteForShell(text: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
