/**
 * Makes node_modules match the lockfile, for a clone that was just made or just updated.
 *
 * A stamp inside node_modules says for which lockfile it was last found complete. It also covers npm's
 * own record of what it installed (node_modules/.package-lock.json), so that any later npm command
 * voids it. Without a valid stamp that record is compared with the lockfile, and npm runs only when
 * they differ: a node_modules that someone installed by hand is kept.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join, sep } from 'node:path';
import { withInstallLock } from './install-lock.mjs';
import { BUNDLED_NODE_PACKAGES, findBundledNode, probeNode, runChild, StartupError } from './runtime.mjs';

/**
 * @typedef {object} Need
 * @property {boolean} development whether development dependencies must be there too
 * @property {boolean} bundledNode whether the bundled Node must be there
 */

/** @typedef {{ version?: string, integrity?: string, dev?: boolean, optional?: boolean, devOptional?: boolean }} Entry */

/**
 * The stamp's text: hashes of the lockfile and of npm's record of the installation.
 * @param {string} lock
 * @param {string} record
 */
export function installStamp(lock, record) {
  const hash = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex');
  return `${hash(lock)} ${hash(record)}\n`;
}

/**
 * Whether what npm recorded as installed is what the lockfile asks for. Optional packages may lack, as
 * those of other platforms always do.
 * @param {string} lock text of package-lock.json
 * @param {string} record text of node_modules/.package-lock.json
 * @param {boolean} development false: development dependencies may lack as well
 */
export function isInstalled(lock, record, development) {
  const wanted = parsePackages(lock);
  const present = parsePackages(record);
  for (const path of Object.keys(present)) if (wanted[path] === undefined) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    const found = present[path];
    const mayLack = entry.optional || (!development && (entry.dev || entry.devOptional)) || path === '';
    if (
      found === undefined ? !mayLack : found.version !== entry.version || found.integrity !== entry.integrity
    )
      return false;
  }
  return true;
}

/** @param {string} text @returns {Record<string, Entry>} nothing when the text is not a lockfile */
function parsePackages(text) {
  try {
    return JSON.parse(text).packages ?? {};
  } catch {
    return {};
  }
}

/**
 * The environment for npm: without the settings that an outer npm was given for itself and that would
 * leave packages out or put them elsewhere. Registry, proxy, cache and script settings stay.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} root
 */
export function npmEnvironment(env, root) {
  const setting =
    /^npm_config_(omit|include|only|also|production|dev|optional|global|location|dry_run|package_lock(_only)?|workspaces?|include_workspace_root|install_strategy|global_style|legacy_bundling|(local_|global_)?prefix|os|cpu|libc|bin_links)$/i;
  const kept = Object.entries(env).filter(([name]) => !setting.test(name) && name !== 'NODE_ENV');
  const ownBin = join(root, 'node_modules');
  return Object.fromEntries(
    kept.map(([name, value]) => {
      if (name.toUpperCase() !== 'PATH' || value === undefined) return [name, value];
      // npm must not run under the Node that it is about to replace.
      return [
        name,
        value
          .split(delimiter)
          .filter((path) => !isInside(path, ownBin))
          .join(delimiter),
      ];
    }),
  );
}

/** @param {string} path @param {string} folder */
function isInside(path, folder) {
  return path === folder || path.startsWith(folder + sep);
}

/**
 * How to call npm: the one that runs us with the Node that runs it, else the one on PATH.
 * @param {NodeJS.ProcessEnv} env
 * @param {NodeJS.Platform} [platform]
 * @returns {{ command: string, args: string[], shell: boolean }}
 */
export function npmCommand(env, platform = process.platform) {
  const cli = env['npm_execpath'];
  // yarn and pnpm set npm_execpath too, to themselves.
  if (cli !== undefined && /^npm-cli\.c?js$/.test(basename(cli)) && existsSync(cli)) {
    return { command: env['npm_node_execpath'] ?? process.execPath, args: [cli], shell: false };
  }
  return { command: 'npm', args: [], shell: platform === 'win32' };
}

/**
 * Installs what the lockfile names unless it is there already. Does nothing without a lockfile.
 * @param {string} root folder of package.json
 * @param {Need} need
 * @throws {StartupError} when npm cannot be run or fails
 */
export async function ensureInstalled(root, need) {
  if (!existsSync(join(root, 'package-lock.json'))) return;
  const bundledNode =
    need.bundledNode && BUNDLED_NODE_PACKAGES[`${process.platform}-${process.arch}`] !== undefined;
  return installOnce(root, { ...need, bundledNode });
}

/** @param {string} root @param {Need} need */
async function installOnce(root, need) {
  if (isComplete(root, need)) return;
  await withInstallLock(join(root, '.sealdesk'), async () => {
    if (isComplete(root, need)) return;
    console.error('sealdesk: installing the packages of package-lock.json (npm ci) ...');
    await runNpm(root);
    if (!isComplete(root, { ...need, bundledNode: false })) {
      throw new StartupError(
        'npm ci ended well, but node_modules is not what package-lock.json asks for. ' +
          'Remove node_modules and start again.',
      );
    }
  });
}

/** @param {string} root @param {Need} need */
function isComplete(root, need) {
  const stampPath = join(root, 'node_modules', '.sealdesk-install');
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const record = readOptional(join(root, 'node_modules', '.package-lock.json'));
  if (record === null || (need.bundledNode && bundledNode(root) === null)) return false;
  const stamp = installStamp(lock, record);
  if (readOptional(stampPath) === stamp) return true;
  if (!isInstalled(lock, record, need.development)) return false;
  // npm's record is older than the truth when an installation was broken off half-way.
  if (!Object.keys(parsePackages(record)).every((path) => existsSync(join(root, path)))) return false;
  removeUnusableNode(root);
  if (isInstalled(lock, record, true)) writeStamp(stampPath, stamp);
  return true;
}

/**
 * npm puts node_modules/.bin first in PATH for its scripts, and the bundled Node's package links itself
 * there as `node`. Where it does not run (musl), that link would hide a good Node from `npm start`.
 * @param {string} root
 */
function removeUnusableNode(root) {
  const node = bundledNode(root);
  if (node === null || probeNode(node) === null) return;
  try {
    rmSync(join(root, 'node_modules', '.bin', 'node'), { force: true });
  } catch {
    // A read-only installation: whoever made it chooses what is in PATH.
  }
}

/** @param {string} path @param {string} stamp */
function writeStamp(path, stamp) {
  try {
    writeFileSync(path, stamp);
  } catch {
    // A read-only installation is as good; the comparison is just made anew at each start.
  }
}

/** @param {string} root */
function bundledNode(root) {
  try {
    return findBundledNode(root);
  } catch {
    return null;
  }
}

/** @param {string} path */
function readOptional(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** @param {string} root */
async function runNpm(root) {
  const npm = npmCommand(process.env);
  const args = [
    ...npm.args,
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const remedy =
    'Where it says EUSAGE, package.json and package-lock.json are not those of one commit: restore both. Otherwise ' +
    'npm must reach its registry: without network, or behind a proxy, set npm up first (npm config set proxy, ' +
    'registry, cafile), then start again.';
  const ended = await runChild(npm.command, args, {
    cwd: root,
    env: npmEnvironment(process.env, root),
    shell: npm.shell,
    // Standard output belongs to the program that is started.
    stdio: ['ignore', 2, 2],
  }).catch((error) => {
    throw new StartupError(`npm could not be run (${error.code}). Install npm, or run "npm ci" in ${root}.`);
  });
  if (ended.signal !== null) throw new StartupError(`npm ci was stopped by ${ended.signal}.`);
  if (ended.code !== 0)
    throw new StartupError(`npm ci failed (exit ${ended.code}, its message is above). ${remedy}`);
}
