/** Use cases around integrations: a Zendesk account, its credential and its policy. */
import { sql } from 'kysely';
import { z } from 'zod';
import { assertRole, chooseRecipient, type Restriction, type Role, restrictionFor } from '../access/index.ts';
import { createId, isId, SealdeskError } from '../base/index.ts';
import { type FeedKey, lockLog, readFeed } from '../feed/index.ts';
import {
  type AuthenticatedCall,
  assertAuthenticated,
  type Call,
  clearReconnect,
  findIntegration,
  type GraphSession,
  type Integration,
  RECONNECT_REASONS,
  toIntegration,
} from '../proxy/index.ts';
import { type IntegrationStatus, notify, type ReconnectReason, type Tx } from '../store/index.ts';
import { parseSubdomain, verifyCredential } from '../zendesk/index.ts';
import { operationsField } from './api-keys.ts';
import { type ActDetails, audited, notFound } from './audited.ts';
import { idField, nameField, parseInput } from './input.ts';
import { type Connection, type PageInput, parsePage, toConnection } from './page.ts';
import { readOwn } from './read.ts';
import type { ServiceDeps } from './service-deps.ts';

const ADMIN: readonly Role[] = ['ADMIN'];
const READERS: readonly Role[] = ['ADMIN', 'AGENT', 'DASHBOARD'];

export type IntegrationView = Omit<Integration, 'tenantId'>;

const CreateInput = z.strictObject({
  systemType: z.literal('ZENDESK'),
  name: nameField.nullish(),
  config: z.strictObject({ subdomain: z.string() }),
  credentialId: idField('credential').nullish(),
  allowedOperations: operationsField.nullish(),
});
const UpdateInput = z.strictObject({
  id: idField('integration'),
  name: nameField.nullish(),
  credentialId: idField('credential').nullish(),
  allowedOperations: operationsField.nullish(),
  enabled: z.boolean().nullish(),
});
const IntegrationInput = z.strictObject({ id: idField('integration') });

export interface IntegrationChange {
  readonly integration: IntegrationView;
  readonly auditEventId: string;
}

/** Adds a Zendesk account; without allowed operations it permits nothing. For ADMIN. */
export async function createIntegration(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<IntegrationChange> {
  const now = new Date(deps.clock.now());
  const id = createId('integration', now.getTime());
  const act = { action: 'integration.create', roles: ADMIN, resource: id, integrationId: id };
  return audited(deps, call, act, async (step) => {
    const { name, config, credentialId = null, allowedOperations } = parseInput(CreateInput, input);
    const subdomain = parseSubdomain(config.subdomain);
    const integration = await step.commit(
      async (tx) => {
        await assignCredential(tx, step.tenantId, credentialId, subdomain);
        const row = await tx
          .insertInto('integrations')
          .values({
            id,
            tenant_id: step.tenantId,
            name: name ?? subdomain,
            system_type: 'ZENDESK',
            subdomain,
            credential_id: credentialId,
            allowed_operations: [...(allowedOperations ?? [])],
            status: 'ACTIVE',
            created_at: now,
            updated_at: now,
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        return toIntegration(row);
      },
      (made) => ({ alongside: policyChanges(id, [], made.allowedOperations) }),
    );
    return { integration, auditEventId: step.eventId };
  });
}

/** Changes the members that are given. For ADMIN. */
export async function updateIntegration(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<IntegrationChange> {
  return audited(deps, call, { action: 'integration.update', roles: ADMIN }, async (step) => {
    const { id, name, credentialId, allowedOperations, enabled } = parseInput(UpdateInput, input);
    const { integration } = await step.commit(
      async (tx) => {
        const current = await findIntegration(tx, step.tenantId, id);
        if (current === null) throw notFound('integration');
        if (credentialId != null) await replaceCredential(tx, current, credentialId);
        // After the credential, as everybody takes the two: what it allowed until now.
        const before = await tx
          .selectFrom('integrations')
          .select('allowed_operations')
          .where('tenant_id', '=', step.tenantId)
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        const row = await tx
          .updateTable('integrations')
          .set({
            updated_at: new Date(deps.clock.now()),
            ...(name == null ? {} : { name }),
            ...(allowedOperations == null ? {} : { allowed_operations: [...allowedOperations] }),
            ...(enabled == null ? {} : { status: statusOf(enabled) }),
          })
          .where('tenant_id', '=', step.tenantId)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
        if (before === undefined || row === undefined) throw notFound('integration');
        await notify(tx, 'rights', step.tenantId);
        return { integration: toIntegration(row), before: before.allowed_operations };
      },
      ({ integration: changed, before }) => ({
        ...{ resource: id, integrationId: id },
        alongside: policyChanges(id, before, changed.allowedOperations),
      }),
    );
    return { integration, auditEventId: step.eventId };
  });
}

/** The entries of the audit log that together tell what an integration allowed at any time: of one operation each. */
type PolicyChange = 'policy.allow' | 'policy.withdraw';

/** An entry for each operation that is allowed now or no more. */
function policyChanges(
  integrationId: string,
  before: readonly string[],
  after: readonly string[],
): NonNullable<ActDetails['alongside']> {
  const entriesOf = (action: PolicyChange, operations: readonly string[]) =>
    operations.map((operation) => ({ action, operation, resource: integrationId }));
  return [
    ...entriesOf(
      'policy.allow',
      after.filter((one) => !before.includes(one)),
    ),
    ...entriesOf(
      'policy.withdraw',
      before.filter((one) => !after.includes(one)),
    ),
  ];
}

/** Removes an integration whose change feed is off; credential and audit entries stay. For ADMIN. */
export async function deleteIntegration(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly deletedId: string }> {
  return audited(deps, call, { action: 'integration.delete', roles: ADMIN }, async (step) => {
    const { id } = parseInput(IntegrationInput, input);
    await step.commit(
      async (tx) => {
        await holdWithoutFeed(tx, { tenantId: step.tenantId, integrationId: id });
        const row = await tx
          .deleteFrom('integrations')
          .where('tenant_id', '=', step.tenantId)
          .where('id', '=', id)
          .returning('allowed_operations')
          .executeTakeFirst();
        if (row === undefined) throw notFound('integration');
        await notify(tx, 'rights', step.tenantId);
        return row.allowed_operations;
      },
      (withdrawn) => ({
        ...{ resource: id, integrationId: id },
        alongside: policyChanges(id, withdrawn, []),
      }),
    );
    return { deletedId: id };
  });
}

export interface IntegrationTest {
  readonly ok: boolean;
  /** A stable token for what is wrong, `null` when nothing is. */
  readonly reason: string | null;
  readonly message: string;
  readonly remedy: string | null;
}

/** Asks Zendesk who the credential is, and says in plain words what is wrong. For ADMIN. */
export async function testIntegration(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<IntegrationTest> {
  return audited(deps, call, { action: 'integration.test', roles: ADMIN }, async (step) => {
    const { id } = parseInput(IntegrationInput, input);
    const { tenantId } = step;
    const integration = await deps.store.withTenant(tenantId, (tx) => findIntegration(tx, tenantId, id));
    if (integration === null) throw notFound('integration');
    const { subdomain, credentialId, reconnect } = integration;
    if (credentialId === null) {
      throw new SealdeskError(
        'CONFLICT',
        'The integration has no credential. Seal one and name it in updateIntegration.',
      );
    }
    if (reconnect !== null) {
      await step.commit(
        async () => undefined,
        () => ({ resource: id, integrationId: id, outcome: 'FAILED' }),
      );
      return needsReconnectTest(id, reconnect.reason);
    }
    const client = deps.connections.clientFor({ tenantId, subdomain, credentialId });
    const check = await verifyCredential(client, { signal: call.signal });
    await step.commit(
      async () => undefined,
      () => ({ resource: id, integrationId: id, outcome: check.ok ? 'SUCCEEDED' : 'FAILED' }),
    );
    if (!check.ok) return { ok: false, reason: check.reason, message: check.message, remedy: check.remedy };
    const role = check.role === null ? '' : ` as ${check.role === 'admin' ? 'an admin' : 'an agent'}`;
    return { ok: true, reason: null, message: `Zendesk accepts the credential${role}.`, remedy: null };
  });
}

/** Zendesk is not asked: what it said last stands until an admin acts. */
function needsReconnectTest(id: string, reason: ReconnectReason): IntegrationTest {
  return {
    ok: false,
    reason: 'NEEDS_RECONNECT',
    message: `${RECONNECT_REASONS[reason]} Nothing is sent to Zendesk.`,
    remedy: `Connect it again: sealdesk connect ${id}. Or rotate its credential, or name one in updateIntegration, also the same to have it tried once more.`,
  };
}

/** An integration of the caller's tenant. For ADMIN, AGENT and DASHBOARD. */
export function getIntegration(deps: ServiceDeps, call: Call, id: string): Promise<IntegrationView> {
  return readOwn(deps, call, READERS, async (tx, tenantId, reading) => {
    const integration = isId('integration', id) ? await findIntegration(tx, tenantId, id) : null;
    const within = (await restrictionOf(tx, reading, deps.clock.now()))?.integrationId ?? id;
    if (integration === null || integration.id !== within) throw notFound('integration');
    return integration;
  });
}

/** The same, read together with what the operation's session reads of it. For ADMIN, AGENT and DASHBOARD. */
export async function openIntegration(
  _deps: ServiceDeps,
  call: Call,
  session: GraphSession,
  id: string,
): Promise<IntegrationView> {
  assertAuthenticated(call);
  assertRole(call.caller, ...READERS);
  const integration = await session.integration(id);
  if (integration === null) throw notFound('integration');
  return integration;
}

export function listIntegrations(
  deps: ServiceDeps,
  call: Call,
  input: PageInput,
): Promise<Connection<IntegrationView>> {
  return readOwn(deps, call, READERS, async (tx, tenantId, reading) => {
    const page = parsePage(input);
    let query = tx.selectFrom('integrations').selectAll().where('tenant_id', '=', tenantId);
    if (page.after !== null) query = query.where('id', '>', page.after);
    if (page.before !== null) query = query.where('id', '<', page.before);
    const restriction = await restrictionOf(tx, reading, deps.clock.now());
    if (restriction !== null) query = query.where('id', '=', restriction.integrationId);
    const rows = await query
      .orderBy('id', page.backwards ? 'desc' : 'asc')
      .limit(page.limit)
      .execute();
    return toConnection(rows, page, (row) => row.id, toIntegration);
  });
}

/** What the answer is restricted to: by the key that the caller is bound to, or by the one that it names. */
export async function restrictionOf(
  tx: Tx,
  { caller, recipientKeyId }: AuthenticatedCall,
  now: number,
): Promise<Restriction | null> {
  const named = recipientKeyId === null ? null : await chooseRecipient(tx, caller, recipientKeyId, now);
  return restrictionFor(caller, named);
}

/**
 * A credential belongs to the Zendesk account that it was first used for, also when its integration is
 * gone: neither it nor what is fetched with it is ever sent to another.
 */
export async function assignCredential(
  tx: Tx,
  tenantId: string,
  credentialId: string | null,
  subdomain: string,
): Promise<void> {
  if (credentialId === null) return;
  const credential = await tx
    .updateTable('credentials')
    .set((column) => ({ subdomain: column.fn.coalesce('subdomain', column.val(subdomain)) }))
    .where('tenant_id', '=', tenantId)
    .where('id', '=', credentialId)
    .returning('subdomain')
    .executeTakeFirst();
  if (credential === undefined) throw notFound('credential');
  if (credential.subdomain === subdomain) return;
  throw new SealdeskError(
    'CONFLICT',
    'The credential belongs to another Zendesk account. Seal one for this account.',
    { subject: credentialId },
  );
}

/**
 * Holds the integration against who switches its feed, until the transaction ends. Throws CONFLICT where the feed is
 * on: what it has at Zendesk would stay there for ever.
 */
export async function holdWithoutFeed(tx: Tx, key: FeedKey): Promise<void> {
  // In the order in which everybody takes them.
  await lockLog(tx, key.tenantId, key.integrationId);
  await tx
    .selectFrom('integrations')
    .select('id')
    .where('tenant_id', '=', key.tenantId)
    .where('id', '=', key.integrationId)
    .forUpdate()
    .execute();
  if ((await readFeed(tx, key))?.status !== 'ENABLED') return;
  throw new SealdeskError(
    'CONFLICT',
    'The change feed of the integration is enabled. Disable it with disableTicketFeed first.',
    { subject: key.integrationId },
  );
}

/** Another credential, or the same to be tried once more. */
async function replaceCredential(
  tx: Tx,
  { tenantId, id, subdomain }: Integration,
  credentialId: string,
): Promise<void> {
  await assignCredential(tx, tenantId, credentialId, subdomain);
  await tx
    .updateTable('integrations')
    .set({ credential_id: credentialId })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute();
  await clearReconnect(tx, { tenantId, credentialId });
}

/** Switching on does not make up for a credential that Zendesk does not accept. */
function statusOf(enabled: boolean) {
  return enabled
    ? sql<IntegrationStatus>`CASE WHEN reconnect_reason IS NULL THEN 'ACTIVE' ELSE 'NEEDS_RECONNECT' END`
    : ('DISABLED' as const);
}
