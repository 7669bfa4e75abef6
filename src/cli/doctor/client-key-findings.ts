/** Client keys that will end or that nobody uses: what an operator should hear of before their holders do. */
import { type Finding, note, ok } from './finding.ts';

export interface ClientKeyNumbers {
  readonly active: number;
  /** Of these, ending by themselves within 30 days. */
  readonly endingSoon: number;
  /** Of these, without use for 90 days. */
  readonly unused: number;
}

export function clientKeyFindings({ active, endingSoon, unused }: ClientKeyNumbers): readonly Finding[] {
  const findings: Finding[] = [];
  if (endingSoon > 0) {
    findings.push(
      note(
        `Client keys: ${endingSoon} of ${active} active end${endingSoon === 1 ? 's' : ''} within 30 days. clientKeys(filter: {endsWithinDays: 30}) names them; their holders rotate them with sealdesk keys rotate.`,
      ),
    );
  }
  if (unused > 0) {
    findings.push(
      note(
        `Client keys: nothing was sealed to ${unused} of ${active} active for 90 days. clientKeys(filter: {unusedSince}) names them; revoke what nobody needs.`,
      ),
    );
  }
  return findings.length === 0 ? [ok(`Client keys: ${active} active, none ends within 30 days`)] : findings;
}
