#!/usr/bin/env node
/**
 * The start-up program, behind `npm start`, `npm test` and the installed `sealdesk` command. Plain
 * JavaScript for Node >= 18 without dependencies, since it runs before anything is installed.
 *
 *     node bin/sealdesk.mjs [ARGS...]               runs the program with ARGS
 *     node bin/sealdesk.mjs --exec FILE [ARGS...]   runs FILE as `node FILE ARGS...` would
 *
 * In a clone it first makes node_modules match the lockfile; an installed package is never changed.
 * Either way the file then runs under a Node that can do the work: this one, else the bundled one.
 * The file finds its own arguments at `process.argv.slice(2)`; `import.meta.main` is not set for it.
 */
import { existsSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { assertRuns, findBundledNode, isCapable, runNode, StartupError } from './runtime.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// Node refuses to strip types under node_modules, so an installed package brings JavaScript in dist.
const isPackage = root.split(/[\\/]/).includes('node_modules');
const isSource = !isPackage && existsSync(join(root, 'src', 'main.ts'));

/** Installs if need be and chooses the Node: `null` stands for the one that runs already. */
async function prepare() {
  const capable = isCapable();
  if (!isPackage) {
    await ensureInstalled(root, { development: process.argv[2] === '--exec', bundledNode: !capable });
  }
  if (capable) return null;
  const bundled = findBundledNode(root);
  assertRuns(bundled);
  return bundled;
}

/** @param {string} node the Node in use, so that children which call `node` get the same */
function putFirstInPath(node) {
  process.env['PATH'] = [dirname(node), process.env['PATH']].filter(Boolean).join(delimiter);
}

/** @returns {{ file: string, args: string[] }} */
function chooseTarget() {
  const [first, file, ...rest] = process.argv.slice(2);
  if (first !== '--exec') {
    const main = isSource ? ['src', 'main.ts'] : ['dist', 'src', 'main.js'];
    return { file: join(root, ...main), args: process.argv.slice(2) };
  }
  if (file === undefined) throw new StartupError('--exec needs the file to run');
  return { file: resolve(file), args: rest };
}

try {
  const target = chooseTarget();
  const bundled = await prepare();
  putFirstInPath(bundled ?? process.execPath);
  if (bundled === null) {
    process.argv = [process.execPath, target.file, ...target.args];
    await import(pathToFileURL(target.file).href);
  } else {
    await runNode(bundled, [target.file, ...target.args]);
  }
} catch (error) {
  if (!(error instanceof StartupError)) throw error;
  console.error(`sealdesk: ${error.message}`);
  process.exitCode = 1;
}
