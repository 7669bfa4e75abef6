/** The audit logs: alarms that stand, and whether the anchor can be used. */
import { AnchorError, openAnchor } from '../../audit/index.ts';
import type { Config } from '../../config.ts';
import { anchorLocationOf } from '../anchor-location.ts';
import { type Finding, note, ok, wrong } from './finding.ts';

export interface StandingAlarm {
  readonly tenantId: string;
  readonly kind: string;
}

export function alarmFinding(alarms: readonly StandingAlarm[]): Finding {
  const [first] = alarms;
  if (first === undefined) return ok('Audit: no log has an alarm');
  const more = alarms.length === 1 ? '' : ` and ${alarms.length - 1} more`;
  return wrong(
    `Audit: the log of ${first.tenantId} was found altered (${first.kind})${more}; nothing is appended to it. Find out why; sealdesk audit accept-restore --help tells how to go on.`,
  );
}

export async function checkAnchor(config: Config): Promise<Finding> {
  const location = anchorLocationOf(config);
  if (location.kind === 'none') {
    return note('Audit: there is no anchor; a database that is set back to a backup is not noticed.');
  }
  const where = location.kind === 'file' ? location.folder : `s3://${location.bucket}/${location.prefix}`;
  try {
    await using anchor = await openAnchor(location);
    await anchor.probe();
    return ok(`Audit: the anchor ${where} can be used`);
  } catch (error) {
    if (!(error instanceof AnchorError)) throw error;
    return wrong(`Audit: the anchor ${where} cannot be used. ${error.message}`);
  }
}
