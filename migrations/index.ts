/** The one migration history, in order. A migration that has landed is never edited. */
import type { Migration } from 'kysely/migration';
import * as foundation from './0001-foundation.ts';
import * as zendeskBudget from './0002-zendesk-budget.ts';
import * as apiKeyDelivery from './0003-api-key-delivery.ts';
import * as ticketFeed from './0004-ticket-feed.ts';

export const migrations: Readonly<Record<string, Migration>> = Object.freeze({
  '0001-foundation': foundation,
  '0002-zendesk-budget': zendeskBudget,
  '0003-api-key-delivery': apiKeyDelivery,
  '0004-ticket-feed': ticketFeed,
});
