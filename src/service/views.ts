/** What use cases answer: records without secrets, key bytes or other rooms' inner state. */
import type { ApiKey, ClientKey, ClientKeyLogin, Restriction, Tenant } from '../access/index.ts';
import type { AuditEvent } from '../audit/index.ts';
import { fingerprint, type Suite } from '../envelope/index.ts';
import { type Credential, credentialWarning } from '../vault/index.ts';

export type TenantView = Pick<Tenant, 'id' | 'name' | 'createdAt'>;
export type ApiKeyView = Omit<ApiKey, 'tenantId' | 'createdBy'>;
export type CredentialView = Omit<Credential, 'tenantId'> & { readonly warning: string | null };
export type AuditEventView = AuditEvent;

export interface ClientKeyView {
  readonly id: string;
  readonly lineageId: string;
  readonly status: ClientKey['status'];
  readonly name: string | null;
  readonly kemKid: string;
  readonly sigKid: string;
  /** As `sealdesk keys fingerprint` prints it, for people to compare. */
  readonly fingerprint: string;
  readonly createdAt: Date;
  readonly pendingUntil: Date | null;
  readonly confirmedAt: Date | null;
  /** `null` where it was never mapped. */
  readonly mappedAt: Date | null;
  readonly expiresAt: Date | null;
  /** Of one that gave way by OVERLAP: until when it is still sealed to. */
  readonly overlapUntil: Date | null;
  readonly endedAt: Date | null;
  readonly endReason: string | null;
  readonly lastUsedAt: Date | null;
  readonly login: ClientKeyLogin | null;
  /** Mapped, and nothing was ever sealed to it. */
  readonly isUnused: boolean;
  readonly succession: ClientKey['succession'];
  /** What the key is good for only, `null` where it is not restricted. */
  readonly restriction: Restriction | null;
}

/** Who has logged in: by an API key, or by a client key that signed for itself; the other one is `null`. */
export interface Viewer {
  readonly apiKey: ApiKeyView | null;
  readonly clientKey: ClientKeyView | null;
  readonly tenant: TenantView;
}

export function toClientKeyView(suite: Suite, key: ClientKey): ClientKeyView {
  const mappedAt = key.status === 'PENDING' || key.status === 'CONFIRMED' ? null : key.mappedAt;
  return {
    id: key.id,
    lineageId: key.lineageId,
    status: key.status,
    name: key.name,
    kemKid: key.kemKid,
    sigKid: key.sigKid,
    fingerprint: fingerprint(suite, { kem: key.kemKid, sig: key.sigKid }),
    createdAt: key.createdAt,
    pendingUntil: key.status === 'PENDING' ? key.pendingUntil : null,
    confirmedAt: key.status === 'CONFIRMED' || key.status === 'ACTIVE' ? key.confirmedAt : null,
    mappedAt,
    expiresAt: key.expiresAt,
    overlapUntil: key.status === 'RETIRED' ? key.overlapUntil : null,
    endedAt: key.status === 'RETIRED' || key.status === 'REVOKED' ? key.endedAt : null,
    endReason: key.status === 'RETIRED' || key.status === 'REVOKED' ? key.endReason : null,
    lastUsedAt: key.lastUsedAt,
    login: key.login,
    isUnused: mappedAt !== null && key.lastUsedAt === null,
    succession: key.succession,
    restriction: key.restriction,
  };
}

export function toCredentialView({ tenantId: _, ...credential }: Credential): CredentialView {
  return { ...credential, warning: credentialWarning(credential.type) };
}
