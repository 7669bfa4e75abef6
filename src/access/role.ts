import { SealdeskError } from '../base/index.ts';
import type { TenantKind } from '../store/index.ts';

/**
 * OPERATOR: all tenants' administration, no tickets. ADMIN: one tenant's integrations, credentials and
 * keys. AGENT: reads and writes tickets as policy allows. DASHBOARD: reads and subscribes. AUDITOR: the
 * audit log only.
 */
export const ROLES = Object.freeze(['OPERATOR', 'ADMIN', 'AGENT', 'DASHBOARD', 'AUDITOR'] as const);
export type Role = (typeof ROLES)[number];

/** Which roles the API keys of a tenant may have: operators belong to the installation and nowhere else. */
const ROLES_OF: Readonly<Record<TenantKind, readonly Role[]>> = Object.freeze({
  INSTALLATION: ['OPERATOR', 'AUDITOR'],
  CUSTOMER: ['ADMIN', 'AGENT', 'DASHBOARD', 'AUDITOR'],
});

/** Whether `text` names a role. */
export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** The roles of a stored key. Throws where the database holds something else. */
export function parseRoles(roles: readonly string[]): readonly Role[] {
  if (!roles.every(isRole)) throw new Error('A key is stored with a role that does not exist');
  return roles;
}

/** Throws FORBIDDEN, naming the roles that would do, unless the caller has one of `roles`. */
export function assertRole(caller: { readonly roles: readonly Role[] }, ...roles: readonly Role[]): void {
  if (roles.some((role) => caller.roles.includes(role))) return;
  throw new SealdeskError(
    'FORBIDDEN',
    `This needs a key with the role ${roles.join(' or ')}; this one has ${caller.roles.length === 0 ? 'none that a restricted client key leaves it' : caller.roles.join(', ')}.`,
  );
}

/** Throws VALIDATION_FAILED unless an API key of such a tenant may have `roles`. */
export function assertRolesOfTenant(kind: TenantKind, roles: readonly Role[]): void {
  const allowed = ROLES_OF[kind];
  const problem =
    roles.length === 0
      ? 'needs at least one role'
      : new Set(roles).size !== roles.length
        ? 'names a role twice'
        : roles.every((role) => allowed.includes(role))
          ? null
          : `may only hold ${allowed.join(', ')} in this tenant`;
  if (problem === null) return;
  throw new SealdeskError('VALIDATION_FAILED', `The field roles ${problem}.`, {
    fields: [{ path: 'roles', message: problem }],
  });
}
