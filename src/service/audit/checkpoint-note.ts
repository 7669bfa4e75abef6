/** Checkpoints as the notes that leave the gateway. Signing and verifying are done outside of transactions. */
import type { TreeHead } from '../../audit/index.ts';
import {
  encodeCheckpoint,
  encodeOrigin,
  encodeSignedNote,
  parseCheckpoint,
  parseOrigin,
  parseSignedNote,
} from '../../tlog/index.ts';
import type { CheckpointSigner } from '../../vault/index.ts';

/** The note of a tree, with both signatures. */
export async function signCheckpoint(
  signer: CheckpointSigner,
  tenantId: string,
  { epoch, size, root }: TreeHead,
): Promise<string> {
  const origin = encodeOrigin({ tenantId, epoch });
  const text = encodeCheckpoint({ origin, size, root });
  return encodeSignedNote({ text, signatures: await signer.signNote(origin, text) });
}

/** What `note` vouches for, or `null` unless it is a checkpoint of the tenant's log with both signatures. */
export async function openCheckpoint(
  signer: CheckpointSigner,
  tenantId: string,
  note: string,
): Promise<TreeHead | null> {
  const signed = parseSignedNote(note);
  const checkpoint = signed === null ? null : parseCheckpoint(signed.text);
  const name = checkpoint === null ? null : parseOrigin(checkpoint.origin);
  if (signed === null || checkpoint === null || name?.tenantId !== tenantId) return null;
  const isSigned = await signer.verifyNote(checkpoint.origin, signed);
  return isSigned ? { epoch: name.epoch, size: checkpoint.size, root: checkpoint.root } : null;
}
