/** Notes as an anchor meets them: well-formed, with signatures that nobody checks there. */
import { randomBytes } from 'node:crypto';
import type { AuditAnchor } from '../../../src/audit/index.ts';
import { encodeCheckpoint, encodeOrigin, encodeSignedNote } from '../../../src/tlog/index.ts';

export interface TestCheckpoint {
  readonly epoch: number;
  readonly size: number;
  readonly note: string;
}

/** A checkpoint of the tenant's log, with a root made of `fill`. */
export function checkpointOf(tenantId: string, epoch: number, size: number, fill = 0): TestCheckpoint {
  const origin = encodeOrigin({ tenantId, epoch });
  const root = new Uint8Array(32).fill(fill);
  const signatures = [64, 3309].map((length, at) => ({
    name: origin,
    keyId: Uint8Array.of(0, 0, 0, at),
    signature: Uint8Array.from(randomBytes(length)),
  }));
  return {
    epoch,
    size,
    note: encodeSignedNote({ text: encodeCheckpoint({ origin, size, root }), signatures }),
  };
}

/** What the anchor tells at the place or after it, the newest first. */
export function notesOf(
  anchor: AuditAnchor,
  tenantId: string,
  from = { epoch: 1, size: 0 },
): Promise<(string | null)[]> {
  return Array.fromAsync(anchor.listNewest(tenantId, from));
}

export async function newestOf(...asked: Parameters<typeof notesOf>): Promise<string | null | undefined> {
  return (await notesOf(...asked))[0];
}
