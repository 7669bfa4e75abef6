/**
 * Every reason for which work may run outside one tenant's boundary. The list is closed: a purpose
 * that is not here is refused, and a test holds the list against its uses.
 */
export const SYSTEM_PURPOSES = Object.freeze({
  'api-key-lookup': 'find the tenant that an API key belongs to',
  'client-key-lookup': 'find the tenant of a client key by its id',
  'tenant-administration': 'create and list tenants, for operators',
  'intent-sweep': 'find intents of every tenant that were never closed',
  'feed-leases': 'find the change feeds of every tenant that nobody attends to',
  'feed-lookup': 'find the tenant of an integration that a webhook names',
  health: 'see whether the database answers',
} as const);

export type SystemPurpose = keyof typeof SYSTEM_PURPOSES;
