/** The part of a process that brings rotations of the gateway's own keys to their end. Every process has one. */
import { randomUUID } from 'node:crypto';
import { findUnclaimedRotations } from '../../vault/index.ts';
import { followDefaultKey } from './follow-default-key.ts';
import { type RotationDeps, type RotationRun, runRotation } from './run-rotation.ts';
import { settleAllSigningKeys } from './settle-signing-keys.ts';

const INTERVAL_MS = 10_000;
const MAX_ROTATIONS = 20;

/** One pass over all that is due now. */
export async function runKeyRotations(deps: RotationDeps, run: RotationRun): Promise<void> {
  await settleAllSigningKeys(deps);
  const open = await deps.store.withSystem('key-rotation', (tx) => findUnclaimedRotations(tx, MAX_ROTATIONS));
  for (const rotation of open) {
    if (run.signal.aborted) return;
    await runRotation(deps, rotation, run);
  }
}

/** Looks for what is due every ten seconds. Disposing waits for the record under way. */
export function openKeyRotationWorker(deps: RotationDeps): AsyncDisposable {
  const { clock, log } = deps;
  const stopped = new AbortController();
  const { signal } = stopped;
  const run = { holder: randomUUID(), signal };
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn(what, { error: error instanceof Error ? error : undefined });
      return false;
    }
  };
  const running = (async () => {
    let isFollowed = false;
    while (!signal.aborted) {
      if (!isFollowed) {
        isFollowed = await attempt('What rests on a former default KMS key could not be found', () =>
          followDefaultKey(deps, signal),
        );
      }
      await attempt('Key rotations could not go on', () => runKeyRotations(deps, run));
      await clock.wait(INTERVAL_MS, signal).catch(() => undefined);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await running;
    },
  };
}
