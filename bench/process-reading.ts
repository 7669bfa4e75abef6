import type { ChildProcess } from 'node:child_process';

/** What a server process has used so far and holds now. */
export interface ProcessReading {
  /** CPU time of all its threads. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

const PAUSE_MS = 250;
const CALM_READINGS = 4;
const MAX_READINGS = 60;
/** Of resident memory, between readings that count as the same. */
const CALM_SHARE = 0.002;

/** Has a process collect its garbage until its memory stays as it is, and reads it then. */
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
    const moved = Math.abs(next.residentBytes - last.residentBytes) / last.residentBytes;
    calm = moved <= CALM_SHARE ? calm + 1 : 0;
    last = next;
  }
  return last;
}
