/**
 * An anchor: a place outside the database that remembers checkpoints, so that a database which was set
 * back as a whole is noticed. The port, and the one that remembers nothing. An anchor is not trusted: what
 * it gives back counts only with the signatures of the log.
 */
import type { StoredCheckpoint } from '../checkpoints.ts';

export type AnchoredCheckpoint = Pick<StoredCheckpoint, 'epoch' | 'size' | 'note'>;
export type CheckpointPlace = Pick<StoredCheckpoint, 'epoch' | 'size'>;

export interface AnchorOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Every method rejects with {@link AnchorError} where the place cannot be used. */
export interface AuditAnchor extends AsyncDisposable {
  readonly kind: 'file' | 's3' | 'none';
  /**
   * Resolves when the checkpoint is there to stay; to the note that is there already, where that is kept instead,
   * empty where it cannot be read.
   */
  write(tenantId: string, checkpoint: AnchoredCheckpoint, options?: AnchorOptions): Promise<string | null>;
  /**
   * The notes of checkpoints at `from` or after it that are quickly found, a bounded number, the newest first by the
   * place that each claims; `null` for what is there and is no note of its place. Nobody has looked at signatures.
   */
  listNewest(
    tenantId: string,
    from: CheckpointPlace,
    options?: AnchorOptions,
  ): AsyncIterable<string | null, void>;
  /** Whether the place is there and lets itself be used. Writes nothing. */
  probe(options?: AnchorOptions): Promise<void>;
}

/** The anchor cannot be written or read; the message tells the operator why, without secrets. */
export class AnchorError extends Error {
  override readonly name = 'AnchorError';
}

export const noAnchor: AuditAnchor = Object.freeze({
  kind: 'none' as const,
  write: async () => null,
  async *listNewest() {},
  async probe() {},
  async [Symbol.asyncDispose]() {},
});
