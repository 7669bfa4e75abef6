/** Tenants, keys and times for the tests of this room. */
import { createHash, randomBytes } from 'node:crypto';
import {
  confirmClientKey,
  createApiKeySecret,
  insertApiKey,
  insertClientKey,
  insertTenant,
  type NewApiKey,
  type NewClientKey,
  type RecordedKeyAct,
} from '../../src/access/index.ts';
import { createId } from '../../src/base/index.ts';
import type { Store, TenantKind } from '../../src/store/index.ts';

export const NOW = Date.UTC(2026, 4, 1);
export const MINUTE = 60_000;

export async function createTenant(store: Store, kind: TenantKind = 'CUSTOMER'): Promise<string> {
  const id = createId('tenant');
  await store.withSystem('tenant-administration', (tx) =>
    insertTenant(tx, { id, kind, name: 'Test', now: NOW }),
  );
  return id;
}

export async function createApiKey(store: Store, tenantId: string, members: Partial<NewApiKey> = {}) {
  const id = createId('apiKey');
  const { text, secretSha256 } = createApiKeySecret(id);
  const apiKey = await store.withTenant(tenantId, (tx) =>
    insertApiKey(tx, {
      id,
      tenantId,
      secretSha256,
      name: 'Test',
      roles: ['AGENT'],
      createdBy: 'test',
      now: NOW,
      ...members,
    }),
  );
  return { text, apiKey };
}

export function newClientKey(tenantId: string, members: Partial<NewClientKey> = {}): NewClientKey {
  const [kemPublicKey, sigPublicKey] = [randomBytes(1_184), randomBytes(1_952)];
  return {
    id: createId('clientKey'),
    tenantId,
    kemKid: createHash('sha256').update(kemPublicKey).digest('base64url'),
    sigKid: createHash('sha256').update(sigPublicKey).digest('base64url'),
    kemPublicKey,
    sigPublicKey,
    registeredBy: 'test',
    now: NOW,
    ...members,
  };
}

export async function createPendingKey(store: Store, tenantId: string): Promise<string> {
  const key = newClientKey(tenantId);
  await store.withTenant(tenantId, (tx) => insertClientKey(tx, key));
  return key.id;
}

export async function createConfirmedKey(store: Store, tenantId: string): Promise<string> {
  const clientKeyId = await createPendingKey(store, tenantId);
  await store.withTenant(tenantId, (tx) => confirmClientKey(tx, { tenantId, clientKeyId, now: NOW }));
  return clientKeyId;
}

/** An act of an admin's, recorded by an event that is nowhere. */
export function recorded(tenantId: string, clientKeyId: string, now = NOW): RecordedKeyAct {
  return { tenantId, clientKeyId, now, by: 'admin', eventId: createId('auditEvent', now) };
}
