/**
 * `npm run check`: what must hold of the repository besides its tests. Every check runs, even after one
 * failed, two at a time; each says one line, and a failed one also what it found.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');

/** @type {readonly { name: string, file: string, args: readonly string[] }[]} */
const checks = [
  { name: 'types', file: join(modules, 'typescript', 'bin', 'tsc'), args: ['--project', root] },
  {
    name: 'lint and format',
    file: join(modules, '@biomejs', 'biome', 'bin', 'biome'),
    args: ['check', '--error-on-warnings', '--no-errors-on-unmatched', root],
  },
  { name: 'generated files', file: join(root, 'codegen.ts'), args: ['--check'] },
];

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @returns {Promise<{ passed: boolean, output: string }>}
 */
function runCheck(file, args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    /** @type {Buffer[]} */
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
    child.once('error', (error) => resolve({ passed: false, output: error.message }));
    child.once('close', (code) =>
      resolve({ passed: code === 0, output: Buffer.concat(chunks).toString('utf8') }),
    );
  });
}

/** @param {(typeof checks)[number]} check @returns {Promise<boolean>} */
async function report({ name, file, args }) {
  if (!existsSync(file) && name === 'generated files') {
    console.log(`${name}: skipped, there is no codegen.ts`);
    return true;
  }
  const start = performance.now();
  const { passed, output } = await runCheck(file, args);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name}: ${passed ? 'ok' : 'FAILED'} (${seconds} s)${passed ? '' : `\n${output.trimEnd()}`}`);
  return passed;
}

const waiting = [...checks];
/** @type {boolean[]} */
const results = [];

async function work() {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift())
    results.push(await report(check));
}

await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
if (results.includes(false)) process.exitCode = 1;
