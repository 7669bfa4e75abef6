/** The one migration history, in order. A migration that has landed is never edited. */
import type { Migration } from 'kysely/migration';
import * as foundation from './0001-foundation.ts';
import * as zendeskBudget from './0002-zendesk-budget.ts';
import * as apiKeyDelivery from './0003-api-key-delivery.ts';
import * as ticketFeed from './0004-ticket-feed.ts';
import * as auditTree from './0005-audit-tree.ts';
import * as auditCheckpoints from './0006-audit-checkpoints.ts';
import * as auditExports from './0007-audit-exports.ts';
import * as clientKeyLife from './0008-client-key-life.ts';
import * as loginTokens from './0009-login-tokens.ts';
import * as clientKeyScope from './0010-client-key-scope.ts';
import * as keyRotation from './0011-key-rotation.ts';
import * as zendeskAuthorizations from './0012-zendesk-authorizations.ts';
import * as reconnecting from './0013-reconnecting.ts';
import * as directory from './0014-directory.ts';
import * as provisioning from './0015-provisioning.ts';
import * as auditIndexes from './0016-audit-indexes.ts';
import * as auditAlarmEpochs from './0017-audit-alarm-epochs.ts';

export const migrations: Readonly<Record<string, Migration>> = Object.freeze({
  '0001-foundation': foundation,
  '0002-zendesk-budget': zendeskBudget,
  '0003-api-key-delivery': apiKeyDelivery,
  '0004-ticket-feed': ticketFeed,
  '0005-audit-tree': auditTree,
  '0006-audit-checkpoints': auditCheckpoints,
  '0007-audit-exports': auditExports,
  '0008-client-key-life': clientKeyLife,
  '0009-login-tokens': loginTokens,
  '0010-client-key-scope': clientKeyScope,
  '0011-key-rotation': keyRotation,
  '0012-zendesk-authorizations': zendeskAuthorizations,
  '0013-reconnecting': reconnecting,
  '0014-directory': directory,
  '0015-provisioning': provisioning,
  '0016-audit-indexes': auditIndexes,
  '0017-audit-alarm-epochs': auditAlarmEpochs,
});
