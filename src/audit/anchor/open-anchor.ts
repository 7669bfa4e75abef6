import { type AuditAnchor, noAnchor } from './anchor.ts';
import type { AnchorLocation } from './anchor-location.ts';
import { openFileAnchor } from './file-anchor.ts';
import { openS3Anchor } from './s3-anchor.ts';

/** The anchor at `location`. Makes no call and writes nothing. */
export async function openAnchor(location: AnchorLocation): Promise<AuditAnchor> {
  switch (location.kind) {
    case 'none':
      return noAnchor;
    case 'file':
      return openFileAnchor(location.folder);
    case 's3':
      return openS3Anchor(location);
    default:
      return location satisfies never;
  }
}
