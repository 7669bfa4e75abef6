import { type AnchorLocation, parseAnchorLocation } from '../audit/index.ts';
import { type Config, ConfigError } from '../config.ts';

/** Where the configured anchor of the audit logs is. Throws {@link ConfigError}. */
export function anchorLocationOf({ auditAnchor }: Pick<Config, 'auditAnchor'>): AnchorLocation {
  try {
    return parseAnchorLocation(auditAnchor);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ConfigError(`SEALDESK_AUDIT_ANCHOR cannot be used. ${error.message}`);
  }
}
