/** The scopes that exist, and which of those asked for a client gets. */
import type { OAuthClientAccount } from './options.ts';
import { oauthError } from './reply.ts';

const RESOURCES = [
  'tickets',
  'users',
  'auditlogs',
  'organizations',
  'hc',
  'apps',
  'triggers',
  'automations',
  'targets',
  'webhooks',
  'macros',
  'requests',
  'satisfaction_ratings',
  'dynamic_content',
  'any_channel',
  'web_widget',
  'security',
  'unrestricted',
] as const;
const KNOWN_SCOPES: ReadonlySet<string> = new Set([
  'read',
  'write',
  'impersonate',
  ...RESOURCES.flatMap((resource) => [`${resource}:read`, `${resource}:write`]),
]);

/** Unknown names are dropped silently, known ones outside the client's list are refused (as probed). */
export const grantedScopes = (client: OAuthClientAccount, scope: unknown): string[] => {
  if (scope === undefined || scope === null || scope === '') return [...client.scopes];
  if (typeof scope !== 'string')
    throw oauthError(400, 'invalid_scope', 'The requested scope is invalid, unknown, or malformed.');
  const known = scope.split(/\s+/).filter((name) => KNOWN_SCOPES.has(name));
  for (const name of known) {
    const general = name.includes(':') ? (name.split(':')[1] ?? '') : name;
    if (!client.scopes.includes(name) && !client.scopes.includes(general)) {
      throw oauthError(400, 'invalid_scope', 'The requested scope is invalid, unknown, or malformed.');
    }
  }
  return known;
};
