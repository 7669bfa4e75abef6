/** Use cases around integrations: a Zendesk account, its credential and its policy. */
import { z } from 'zod';
import { assertRole, type Role } from '../access/index.ts';
import { createId, isId, SealdeskError } from '../base/index.ts';
import { type FeedKey, lockLog, readFeed } from '../feed/index.ts';
import {
  assertAuthenticated,
  type Call,
  findIntegration,
  type GraphSession,
  type Integration,
  toIntegration,
} from '../proxy/index.ts';
import { type IntegrationStatus, notify, type Tx } from '../store/index.ts';
import { parseSubdomain, verifyCredential } from '../zendesk/index.ts';
import { operationsField } from './api-keys.ts';
import { audited, notFound } from './audited.ts';
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
    const integration = await step.commit(async (tx) => {
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
    });
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
    const integration = await step.commit(
      async (tx) => {
        const current = await findIntegration(tx, step.tenantId, id);
        if (current === null) throw notFound('integration');
        const { subdomain } = current;
        await assignCredential(tx, step.tenantId, credentialId ?? null, subdomain);
        const row = await tx
          .updateTable('integrations')
          .set({
            updated_at: new Date(deps.clock.now()),
            ...(name == null ? {} : { name }),
            ...(credentialId == null ? {} : { credential_id: credentialId }),
            ...(allowedOperations == null ? {} : { allowed_operations: [...allowedOperations] }),
            ...(enabled == null ? {} : { status: statusOf(enabled) }),
          })
          .where('tenant_id', '=', step.tenantId)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) throw notFound('integration');
        await notify(tx, 'rights', step.tenantId);
        return toIntegration(row);
      },
      () => ({ resource: id, integrationId: id }),
    );
    return { integration, auditEventId: step.eventId };
  });
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
          .returning('id')
          .executeTakeFirst();
        if (row === undefined) throw notFound('integration');
        await notify(tx, 'rights', step.tenantId);
      },
      () => ({ resource: id, integrationId: id }),
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
    const { subdomain, credentialId } = integration;
    if (credentialId === null) {
      throw new SealdeskError(
        'CONFLICT',
        'The integration has no credential. Seal one and name it in updateIntegration.',
      );
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

/** An integration of the caller's tenant. For ADMIN, AGENT and DASHBOARD. */
export function getIntegration(deps: ServiceDeps, call: Call, id: string): Promise<IntegrationView> {
  return readOwn(deps, call, READERS, async (tx, tenantId) => {
    const integration = isId('integration', id) ? await findIntegration(tx, tenantId, id) : null;
    if (integration === null) throw notFound('integration');
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
  return readOwn(deps, call, READERS, async (tx, tenantId) => {
    const page = parsePage(input);
    let query = tx.selectFrom('integrations').selectAll().where('tenant_id', '=', tenantId);
    if (page.after !== null) query = query.where('id', '>', page.after);
    if (page.before !== null) query = query.where('id', '<', page.before);
    const rows = await query
      .orderBy('id', page.backwards ? 'desc' : 'asc')
      .limit(page.limit)
      .execute();
    return toConnection(rows, page, (row) => row.id, toIntegration);
  });
}

/**
 * A credential belongs to the Zendesk account that it was first used for, also when its integration is
 * gone: neither it nor what is fetched with it is ever sent to another.
 */
async function assignCredential(
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
async function holdWithoutFeed(tx: Tx, key: FeedKey): Promise<void> {
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

function statusOf(enabled: boolean): IntegrationStatus {
  return enabled ? 'ACTIVE' : 'DISABLED';
}
