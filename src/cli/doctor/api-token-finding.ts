/** The date at which Zendesk stops accepting API tokens, and what rests on them. */
import { type Finding, note, ok } from './finding.ts';

const END = Date.parse('2027-04-30T00:00:00Z');
const DAY = 86_400_000;

/** What to say of `count` credentials that are an e-mail address and an API token. */
export function apiTokenFinding(count: number, now: number): Finding {
  if (count === 0) return ok('Credentials: none rests on a Zendesk API token');
  const days = Math.ceil((END - now) / DAY);
  const left = days > 0 ? `${days} days left until Zendesk ends them` : 'Zendesk has ended them';
  return note(
    `Credentials: ${count} rest${count === 1 ? 's' : ''} on a Zendesk API token (basic_auth); ${left}, on 2027-04-30. A credential keeps its type: seal one of type oauth2_client (or oauth2_token) and name it in updateIntegration.`,
  );
}
