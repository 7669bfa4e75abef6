/** Use cases around API keys. An ADMIN manages those of its tenant, an OPERATOR those of operators. */
import { z } from 'zod';
import {
  assertRole,
  createApiKeySecret,
  findApiKey,
  insertApiKey,
  listApiKeys as listApiKeyRows,
  ROLES,
  type Role,
  revokeApiKey as revokeApiKeyRow,
} from '../access/index.ts';
import { createId } from '../base/index.ts';
import { type Call, isOperationName } from '../proxy/index.ts';
import { notify } from '../store/index.ts';
import { audited, notFound } from './audited.ts';
import { futureField, idField, invalidInput, nameField, parseInput } from './input.ts';
import { noteOwnEnd } from './own-end.ts';
import { type Connection, type PageInput, parsePage, toConnection } from './page.ts';
import { readOwn } from './read.ts';
import type { ServiceDeps } from './service-deps.ts';
import type { ApiKeyView } from './views.ts';

const MANAGERS: readonly Role[] = ['ADMIN', 'OPERATOR'];
const MAX_REQUESTS_PER_MINUTE = 1_000_000;

/** Names of operations of the catalogue, each once. */
export const operationsField = z
  .array(z.string().refine(isOperationName, 'is not an operation of the catalogue'))
  .max(64, 'must be at most 64 operations')
  .refine((names) => new Set(names).size === names.length, 'names an operation twice');

const createApiKeyInput = (now: number) =>
  z.object({
    name: nameField,
    roles: z.array(z.enum(ROLES)).min(1, 'needs at least one role').max(ROLES.length, 'names a role twice'),
    allowedOperations: operationsField.nullish(),
    clientKeyId: idField('clientKey').nullish(),
    requestsPerMinute: z.int().min(1).max(MAX_REQUESTS_PER_MINUTE).nullish(),
    expiresAt: futureField(now).nullish(),
    delivery: z.enum(['SEALED', 'PLAINTEXT']).nullish(),
  });
const KeyInput = z.object({ id: idField('apiKey') });

export interface CreatedApiKey {
  readonly apiKey: ApiKeyView;
  /** The text to send as X-API-Key, shown this once. */
  readonly secret: string;
}

/** Creates an API key of the caller's tenant. That its answers leave in the clear is an ADMIN's to choose. */
export async function createApiKey(deps: ServiceDeps, call: Call, input: unknown): Promise<CreatedApiKey> {
  const now = deps.clock.now();
  const id = createId('apiKey', now);
  const act = { action: 'api-key.create', roles: MANAGERS, resource: id };
  return audited(deps, call, act, async (step, { caller }) => {
    const fields = parseInput(createApiKeyInput(now), input);
    const delivery = fields.delivery ?? 'SEALED';
    if (delivery === 'PLAINTEXT') assertRole(caller, 'ADMIN');
    assertWithin(fields.allowedOperations ?? null, caller.allowedOperations);
    const { text, secretSha256 } = createApiKeySecret(id);
    const apiKey = await step.commit(
      (tx) =>
        insertApiKey(tx, {
          ...fields,
          delivery,
          id,
          tenantId: step.tenantId,
          secretSha256,
          createdBy: caller.id,
          now,
        }),
      () =>
        delivery === 'SEALED' ? {} : { alongside: [{ action: 'api-key.opt-in-plaintext', resource: id }] },
    );
    return { apiKey, secret: text };
  });
}

/** A key whose operations are narrowed cannot make one that may run more. */
export function assertWithin(
  wanted: readonly string[] | null,
  own: readonly string[] | null,
  path = 'allowedOperations',
): void {
  if (own === null || wanted?.every((name) => own.includes(name)) === true) return;
  throw invalidInput([{ path, message: 'must be within those of the API key that grants them' }]);
}

/** Ends an API key at once; of its own the caller is told that it was done, and can do nothing after it. */
export async function revokeApiKey(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
): Promise<{ readonly apiKey: ApiKeyView }> {
  const act = { action: 'api-key.revoke', roles: MANAGERS };
  return audited(deps, call, act, async (step, { caller }) => {
    const { id } = parseInput(KeyInput, input);
    const apiKey = await step.commit(
      async (tx) => {
        const ended = await revokeApiKeyRow(tx, step.tenantId, id, deps.clock.now());
        await notify(tx, 'rights', step.tenantId);
        return ended;
      },
      () => ({ resource: id }),
      { ends: id },
    );
    if (id === caller.id) noteOwnEnd(caller);
    return { apiKey };
  });
}

export function getApiKey(deps: ServiceDeps, call: Call, id: string): Promise<ApiKeyView> {
  return readOwn(deps, call, MANAGERS, async (tx, tenantId) => {
    const apiKey = await findApiKey(tx, tenantId, id);
    if (apiKey === null) throw notFound('API key');
    return apiKey;
  });
}

export function listApiKeys(
  deps: ServiceDeps,
  call: Call,
  input: PageInput,
): Promise<Connection<ApiKeyView>> {
  return readOwn(deps, call, MANAGERS, async (tx, tenantId) => {
    const page = parsePage(input);
    const rows = await listApiKeyRows(tx, tenantId, page);
    return toConnection(
      rows,
      page,
      (key) => key.id,
      (key) => key,
    );
  });
}
