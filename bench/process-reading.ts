import type { ChildProcess } from 'node:child_process';

/** What a server process has used so far and holds now. */
export interface ProcessReading {
  /** CPU time of all its threads. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** What its objects take, on the heap and, as buffers, beside it. */
  readonly liveBytes: number;
}

const PAUSE_MS = 250;
const CALM_READINGS = 4;
const MAX_READINGS = 60;
/** Of memory, between readings that count as the same. */
const CALM_SHARE = 0.002;

/** Has a process collect its garbage until what is left stays as it is, and reads it then. */
export async function readAtRest(
  child: ChildProcess,
  read: () => Promise<ProcessReading>,
): Promise<ProcessReading> {
  let last = await read();
  let calm = 0;
  for (let count = 0; calm < CALM_READINGS && count < MAX_READINGS; count += 1) {
    child.kill('SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    const next = await read();
    const moved = [next.residentBytes / last.residentBytes, next.liveBytes / last.liveBytes];
    calm = moved.every((ratio) => Math.abs(ratio - 1) <= CALM_SHARE) ? calm + 1 : 0;
    last = next;
  }
  return last;
}
