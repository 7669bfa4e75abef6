import { parseCheckpoint, parseOrigin, parseSignedNote } from '../../tlog/index.ts';
import type { CheckpointPlace } from './anchor.ts';

/** Whether place `a` comes after `b`. */
export function isAfter(a: CheckpointPlace, b: CheckpointPlace): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.size > b.size);
}

/** What a note claims to be a checkpoint of, `null` where it is none of a log of `tenantId`. */
export function placeOfNote(note: string, tenantId: string): CheckpointPlace | null {
  const parsed = parseSignedNote(note);
  const checkpoint = parsed === null ? null : parseCheckpoint(parsed.text);
  const name = checkpoint === null ? null : parseOrigin(checkpoint.origin);
  if (checkpoint === null || name?.tenantId !== tenantId) return null;
  return { epoch: name.epoch, size: checkpoint.size };
}
