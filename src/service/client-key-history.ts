/**
 * The history of a tenant's client keys: every key that was ever mapped, each held against the event of the audit
 * log that recorded the mapping, and the one that recorded the end. A key that was put in the place of another
 * behind the gateway's back has no event that says the same, and shows.
 */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import {
  assertRole,
  type ClientKey,
  findTenant,
  findTenantOfClientKey,
  listMappedKeys,
} from '../access/index.ts';
import { type AuditEvent, getAuditEvents, listClientKeyEvents } from '../audit/index.ts';
import { fingerprint, type Suite, thumbprint } from '../envelope/index.ts';
import { type AuthenticatedCall, assertAuthenticated, type Call } from '../proxy/index.ts';
import { notFound } from './audited.ts';
import { loggedKey } from './client-keys.ts';
import { idField, parseInput } from './input.ts';
import { loggedScope } from './map-client-key.ts';
import { type Connection, type PageInput, parsePage, toConnection } from './page.ts';
import type { ServiceDeps } from './service-deps.ts';

const HistoryInput = z.object({
  tenantId: idField('tenant').nullish(),
  lineageId: idField('clientKey').nullish(),
});

export interface ClientKeyHistoryEntry {
  readonly keyId: string;
  readonly lineageId: string;
  readonly kemKid: string;
  readonly sigKid: string;
  readonly fingerprint: string;
  readonly succession: ClientKey['succession'];
  readonly mappedAt: Date | null;
  readonly mappedBy: string | null;
  /** The event of the mapping, `null` where none is known. */
  readonly auditEventId: string | null;
  readonly expiresAt: Date | null;
  /** What it may do when it logs in by itself, `null` where it may not. */
  readonly login: ClientKey['login'];
  /** What it is good for only, `null` where it is not restricted. */
  readonly restriction: ClientKey['restriction'];
  readonly endedAt: Date | null;
  readonly endReason: string | null;
  readonly endedBy: string | null;
  /** The event of the end, `null` where it has not ended or its time was over. */
  readonly endAuditEventId: string | null;
  /** Whether the log says the same: of the key's public halves, of who mapped it, for what, and of how it ended. */
  readonly isProven: boolean;
}

/** Every key ever mapped, in the order of registration. For ADMIN and AUDITOR of the tenant, and OPERATOR of any. */
export async function listClientKeyHistory(
  deps: ServiceDeps,
  call: Call,
  input: unknown,
  pageInput: PageInput,
): Promise<Connection<ClientKeyHistoryEntry>> {
  assertAuthenticated(call);
  assertRole(call.caller, 'ADMIN', 'AUDITOR', 'OPERATOR');
  const asked = parseInput(HistoryInput, input);
  const page = parsePage(pageInput);
  const { store, clock, keyring } = deps;
  const tenantId = await tenantAsked(deps, call, asked);
  return store.withTenant(tenantId, async (tx) => {
    if ((await findTenant(tx, tenantId)) === null) throw notFound('tenant');
    const keys = await listMappedKeys(tx, tenantId, asked.lineageId ?? null, page, clock.now());
    const eventIds = keys.flatMap((key) => [key.mappedEventId, endOf(key)?.endedEventId ?? null]);
    const events = await getAuditEvents(
      tx,
      tenantId,
      eventIds.filter((id) => id !== null),
    );
    const acts = await listClientKeyEvents(
      tx,
      tenantId,
      keys.map(({ id }) => id),
    );
    return toConnection(
      keys,
      page,
      ({ id }) => id,
      (key) => toEntry(keyring.suite, key, events, acts),
    );
  });
}

/** An OPERATOR asks of any tenant, everybody else of theirs. Rejects with NOT_FOUND. */
async function tenantAsked(
  { store }: ServiceDeps,
  { caller }: AuthenticatedCall,
  { tenantId, lineageId }: z.infer<typeof HistoryInput>,
): Promise<string> {
  if (!caller.roles.includes('OPERATOR')) {
    if (tenantId != null && tenantId !== caller.tenantId) throw notFound('tenant');
    return caller.tenantId;
  }
  if (tenantId != null) return tenantId;
  if (lineageId == null) return caller.tenantId;
  const owner = await store.withSystem('client-key-lookup', (tx) => findTenantOfClientKey(tx, lineageId));
  if (owner === null) throw notFound('client key');
  return owner;
}

function endOf(key: ClientKey): Extract<ClientKey, { readonly endedAt: Date }> | null {
  return key.status === 'RETIRED' || key.status === 'REVOKED' ? key : null;
}

function toEntry(
  suite: Suite,
  key: ClientKey,
  events: ReadonlyMap<string, AuditEvent>,
  acts: readonly AuditEvent[],
): ClientKeyHistoryEntry {
  const end = endOf(key);
  const { mappedAt, mappedBy } =
    key.status === 'PENDING' || key.status === 'CONFIRMED' ? { mappedAt: null, mappedBy: null } : key;
  return {
    keyId: key.id,
    lineageId: key.lineageId,
    kemKid: key.kemKid,
    sigKid: key.sigKid,
    fingerprint: fingerprint(suite, { kem: key.kemKid, sig: key.sigKid }),
    succession: key.succession,
    mappedAt,
    mappedBy,
    auditEventId: key.mappedEventId,
    expiresAt: key.expiresAt,
    login: key.login,
    restriction: key.restriction,
    endedAt: end?.endedAt ?? null,
    endReason: end?.endReason ?? null,
    endedBy: end?.endedBy ?? null,
    endAuditEventId: end?.endedEventId ?? null,
    isProven:
      isOwnKids(suite, key) &&
      tellsOfMapping(events.get(key.mappedEventId ?? ''), key, mappedBy) &&
      (end === null || tellsOfEnd(events, end)) &&
      !tellsOfMore(acts, key),
  };
}

/** Whether the thumbprints are those of the keys that answers are sealed to and logins verified with. */
function isOwnKids(suite: Suite, { kemKid, sigKid, kemPublicKey, sigPublicKey }: ClientKey): boolean {
  return (
    thumbprint(suite, 'ML-KEM-768', kemPublicKey) === kemKid &&
    thumbprint(suite, 'ML-DSA-65', sigPublicKey) === sigKid
  );
}

function tellsOfMapping(event: AuditEvent | undefined, key: ClientKey, mappedBy: string | null): boolean {
  if (event?.action !== 'client-key.map' || !isDone(event) || event.resource !== key.id) return false;
  const { clientKey, scope } = event;
  const now = loggedKey(key);
  const restrictedNow = loggedScope(key.restriction);
  return (
    event.actor.id === mappedBy &&
    clientKey?.kemKid === now.kemKid &&
    clientKey.sigKid === now.sigKid &&
    clientKey.predecessorId === now.predecessorId &&
    clientKey.mode === now.mode &&
    clientKey.vouchedBy === now.vouchedBy &&
    clientKey.expiresAt === now.expiresAt &&
    isDeepStrictEqual(clientKey.login, now.login) &&
    scope === restrictedNow.scope &&
    event.integrationId === restrictedNow.integrationId
  );
}

/** Of a key whose time was over, the event of the mapping said when. */
function tellsOfEnd(
  events: ReadonlyMap<string, AuditEvent>,
  key: Extract<ClientKey, { readonly endedAt: Date }>,
): boolean {
  if (key.endedEventId === null) {
    const mapping = events.get(key.mappedEventId ?? '');
    return key.status === 'RETIRED' && mapping?.clientKey?.expiresAt === key.endedAt.toISOString();
  }
  const event = events.get(key.endedEventId);
  if (event === undefined || !isDone(event) || event.actor.id !== key.endedBy) return false;
  if (key.status === 'REVOKED') {
    const { action, resource, clientKey } = event;
    return action === 'client-key.revoke' && resource === key.id && clientKey?.endReason === key.endReason;
  }
  const isRotation = event.action === 'client-key.map' || event.action === 'client-key.rotate';
  return isRotation && event.clientKey?.predecessorId === key.id;
}

/** Whether the log knows that the key went further than its row says: a key that was revived shows by that. */
function tellsOfMore(acts: readonly AuditEvent[], { id, status }: ClientKey): boolean {
  return acts.some((event) => {
    if (!isDone(event)) return false;
    const { action, resource, clientKey } = event;
    if (action === 'client-key.revoke') return resource === id && status !== 'REVOKED';
    if (status !== 'ACTIVE' || clientKey?.predecessorId !== id) return false;
    return action === 'client-key.map' || clientKey.mode === 'STRICT';
  });
}

function isDone(event: AuditEvent): boolean {
  return event.phase === 'SINGLE' && event.outcome === 'SUCCEEDED';
}
