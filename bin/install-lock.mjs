/**
 * One installation at a time, among processes that share a folder.
 *
 * Every process puts down a claim, a file of its own, and then looks at all claims: it holds the lock
 * when no other live claim is there, else it takes its claim back and waits. Of two that claim at once
 * the later one to look sees the other, so never both hold it. A claim is dead when its process is
 * gone, or when it has not been renewed for a minute (a process that we cannot see: another container or
 * host). Only ever the claims of the dead are removed by others, and a claim's name is never used twice.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

const RENEW_MS = 5_000;
const DEAD_AFTER_MS = 60_000;
const RETRY_MS = 200;
const CLAIM = /^install-[0-9a-f-]{36}\.lock$/;

/**
 * @typedef {object} Claim
 * @property {number} pid
 * @property {string} host
 * @property {number} renewedAt milliseconds since 1970
 */

/**
 * @param {Claim} claim
 * @param {{ now: number, host: string, isRunning: (pid: number) => boolean }} world
 */
export function isDeadClaim(claim, world) {
  if (world.now - claim.renewedAt > DEAD_AFTER_MS) return true;
  return claim.host === world.host && claim.pid > 0 && !world.isRunning(claim.pid);
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return Reflect.get(Object(error), 'code') === 'EPERM';
  }
}

/** @param {string} path @returns {Claim | null} null when it has just been taken back */
function readClaim(path) {
  try {
    const renewedAt = statSync(path).mtimeMs;
    const [pid = '', host = ''] = readFileSync(path, 'utf8').split(' ');
    // A claim that is being written reads as pid 0: it lives until its age says otherwise.
    return { pid: Number(pid), host, renewedAt };
  } catch {
    return null;
  }
}

/**
 * Live claims of others; claims of the dead are removed on the way.
 * @param {string} folder
 * @param {string} [own] name of our claim
 */
export function liveClaims(folder, own) {
  const world = { now: Date.now(), host: hostname(), isRunning };
  return readdirSync(folder).filter((name) => {
    if (!CLAIM.test(name) || name === own) return false;
    const claim = readClaim(join(folder, name));
    if (claim === null) return false;
    if (!isDeadClaim(claim, world)) return true;
    rmSync(join(folder, name), { force: true });
    return false;
  });
}

/**
 * Runs `work` while no other process that uses the same folder does.
 * @param {string} folder created (0700) when it does not exist
 * @param {() => Promise<void>} work
 */
export async function withInstallLock(folder, work) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const own = `install-${randomUUID()}.lock`;
  const path = join(folder, own);
  for (let told = false; ; ) {
    if (liveClaims(folder).length === 0) {
      writeFileSync(path, `${process.pid} ${hostname()}`, { flag: 'wx' });
      if (liveClaims(folder, own).length === 0) break;
      rmSync(path, { force: true });
    } else if (!told) {
      console.error('sealdesk: waiting for another start that is installing ...');
      told = true;
    }
    // Two that claimed at once must not meet again at the same moment.
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS * (0.5 + Math.random())));
  }
  const renewal = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // Taken for dead while this machine slept. npm is half-way, so there is nothing better than to go on.
    }
  }, RENEW_MS);
  try {
    await work();
  } finally {
    clearInterval(renewal);
    rmSync(path, { force: true });
  }
}
