/**
 * Every reason for which work may run outside one tenant's boundary. The list is closed: a purpose
 * that is not here is refused, and a test holds the list against its uses.
 */
export const SYSTEM_PURPOSES = Object.freeze({
  'api-key-lookup': 'find the tenant that an API key belongs to',
  'client-key-lookup': 'find the tenant of a client key by its id',
  'login-token-sweep': 'forget the login tokens of every tenant that are too old to be used again',
  'client-key-count': 'count the client keys of every tenant, those that end soon among them',
  'tenant-administration': 'create and list tenants, for operators',
  'intent-sweep': 'find intents of every tenant that were never closed',
  'audit-watch': 'find the audit logs of every tenant that are to be looked after, and those with an alarm',
  'audit-restore': 'go on with an audit log that was restored, for operators beside the database',
  'feed-leases': 'find the change feeds of every tenant that nobody attends to',
  'feed-lookup': 'find the tenant of an integration that a webhook names',
  'connection-lookup': 'find the tenant of an authorization by the state that came back from Zendesk',
  'connection-sweep':
    'end the authorizations of every tenant that ran out, and find those whose process died',
  'audit-exports': 'find exports of audit logs that nobody attends to, and clear away what has expired',
  'connection-reading':
    'see when the connections of every tenant to Zendesk end, and find those to be renewed before',
  'key-rotation': 'find tenants whose keys are being rotated, or whose stored secrets rest on an old key',
  'access-syncs': 'find access syncs that nobody attends to, and schedules of them that are due',
  'directory-retention': 'remove for good what was deleted from directories long enough ago',
  'provisioning-plans':
    'find plans that are to be applied and that nobody attends to, and clear away what has expired',
  health: 'see whether the database answers',
} as const);

export type SystemPurpose = keyof typeof SYSTEM_PURPOSES;
