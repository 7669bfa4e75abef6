/**
 * Which connections to Zendesk end soon or have ended, by the ids of credentials and integrations: told from the
 * database alone, without opening anything.
 */
import { z } from 'zod';
import { type Finding, note, ok } from './finding.ts';
import type { Query } from './server-keys-check.ts';

/** When Zendesk stops accepting API tokens, by its announcement. */
const API_TOKEN_END = Date.parse('2027-04-30T00:00:00Z');
const DAY = 86_400_000;
/** Lines of one kind; of what is more only the number is told. */
const MAX_LINES = 100;

const API_TOKENS = `
  SELECT c.id AS "credentialId", min(i.id) AS "integrationId", count(*) OVER ()::int AS total
  FROM credentials c LEFT JOIN integrations i ON i.credential_id = c.id AND i.tenant_id = c.tenant_id
  WHERE c.type = 'basic_auth' GROUP BY c.id ORDER BY c.id LIMIT ${MAX_LINES}`;
const ENDING = `
  SELECT i.id AS "integrationId", t.refresh_expires_at AS "endsAt", count(*) OVER ()::int AS total
  FROM integrations i
  JOIN credentials c ON c.id = i.credential_id AND c.tenant_id = i.tenant_id
  JOIN access_tokens t ON t.credential_id = c.id AND t.credential_version = c.version
  WHERE i.reconnect_reason IS NULL AND t.refresh_expires_at <= now() + interval '14 days'
  ORDER BY t.refresh_expires_at, i.id LIMIT ${MAX_LINES}`;
const LOST = `
  SELECT i.id AS "integrationId", i.reconnect_reason AS reason, i.reconnect_since AS since,
    count(*) OVER ()::int AS total
  FROM integrations i WHERE i.reconnect_reason IS NOT NULL
  ORDER BY i.reconnect_since, i.id LIMIT ${MAX_LINES}`;

const total = z.int().nonnegative();
const ApiTokens = z.array(
  z.object({ credentialId: z.string(), integrationId: z.string().nullable(), total }),
);
const Ending = z.array(z.object({ integrationId: z.string(), endsAt: z.date(), total }));
const Lost = z.array(z.object({ integrationId: z.string(), reason: z.string(), since: z.date(), total }));

export async function checkConnections(query: Query, now: number): Promise<readonly Finding[]> {
  const tokens = ApiTokens.parse(await query(API_TOKENS));
  const ending = Ending.parse(await query(ENDING));
  const lost = Lost.parse(await query(LOST));
  return [
    ...(tokens.length === 0 ? [ok('Credentials: none rests on a Zendesk API token')] : []),
    ...tokens.map((token) => apiToken(token, now)),
    ...rest(tokens, 'more credentials rest on a Zendesk API token'),
    ...(ending.length + lost.length === 0
      ? [ok('Connections: none is to be made again, no refresh token ends within 14 days')]
      : []),
    ...lost.map(({ integrationId, reason, since }) =>
      note(
        `Connections: ${integrationId} needs to be connected again since ${since.toISOString()} (${reason}); nothing is sent to Zendesk. Connect it: sealdesk connect ${integrationId}`,
      ),
    ),
    ...rest(lost, 'more integrations need to be connected again'),
    ...ending.map(({ integrationId, endsAt }) =>
      note(
        `Connections: the refresh token of ${integrationId} ${endsIn(endsAt.getTime(), now)}. A running gateway renews it before. Where it does not, connect again: sealdesk connect ${integrationId}`,
      ),
    ),
    ...rest(ending, 'more refresh tokens end within 14 days'),
  ];
}

function apiToken({ credentialId, integrationId }: z.infer<typeof ApiTokens>[number], now: number): Finding {
  const days = Math.ceil((API_TOKEN_END - now) / DAY);
  const left = days > 0 ? `${days} days left until Zendesk ends it` : 'Zendesk has ended it';
  const move =
    integrationId === null
      ? 'No integration uses it: delete it with deleteCredential.'
      : `Move ${integrationId} to OAuth, with the same id, policy and history: sealdesk connect ${integrationId}`;
  return note(
    `Credentials: ${credentialId} rests on an API token (basic_auth); ${left}, on 2027-04-30. ${move}`,
  );
}

function endsIn(end: number, now: number): string {
  const days = Math.floor((end - now) / DAY);
  const at = new Date(end).toISOString();
  if (end <= now) return `ended at ${at}`;
  return `ends in ${days === 1 ? '1 day' : `${days} days`}, at ${at}`;
}

function rest(rows: readonly { readonly total: number }[], what: string): readonly Finding[] {
  const left = (rows[0]?.total ?? 0) - rows.length;
  return left > 0 ? [note(`Connections: ${left} ${what}.`)] : [];
}
