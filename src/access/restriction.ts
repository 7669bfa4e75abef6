/**
 * What a client key may be restricted to when it is mapped: one organization or one requester of one integration.
 * It never changes afterwards, and successors in the key's lineage have the same.
 */
import { isId } from '../base/index.ts';

export type Restriction =
  | {
      readonly kind: 'ORGANIZATION';
      readonly integrationId: string;
      /** Zendesk's id. */
      readonly organizationId: number;
    }
  | {
      readonly kind: 'REQUESTER';
      readonly integrationId: string;
      /** Zendesk's id of the person. */
      readonly requesterId: number;
    };

/** The columns of a restriction, all `null` where there is none. */
export interface RestrictionColumns {
  readonly scope_integration_id: string | null;
  readonly scope_organization_id: number | null;
  readonly scope_requester_id: number | null;
}

/** Throws TypeError for what cannot be a restriction. */
export function toRestrictionColumns(restriction: Restriction | null): RestrictionColumns {
  if (restriction === null) {
    return { scope_integration_id: null, scope_organization_id: null, scope_requester_id: null };
  }
  const { integrationId } = restriction;
  const id = restriction.kind === 'ORGANIZATION' ? restriction.organizationId : restriction.requesterId;
  if (!isId('integration', integrationId) || !Number.isSafeInteger(id) || id <= 0) {
    throw new TypeError('"restriction" must name an integration and a positive id of Zendesk');
  }
  const isOrganization = restriction.kind === 'ORGANIZATION';
  return {
    scope_integration_id: integrationId,
    scope_organization_id: isOrganization ? id : null,
    scope_requester_id: isOrganization ? null : id,
  };
}

/** The restriction of a row, `null` where there is none. Throws where the row holds half of one. */
export function parseRestriction({
  scope_integration_id: integrationId,
  scope_organization_id: organizationId,
  scope_requester_id: requesterId,
}: RestrictionColumns): Restriction | null {
  if (integrationId === null && organizationId === null && requesterId === null) return null;
  if (integrationId !== null && organizationId !== null && requesterId === null) {
    return { kind: 'ORGANIZATION', integrationId, organizationId };
  }
  if (integrationId !== null && organizationId === null && requesterId !== null) {
    return { kind: 'REQUESTER', integrationId, requesterId };
  }
  throw new Error('A client key is stored with half a restriction');
}

export function isSameRestriction(one: Restriction | null, other: Restriction | null): boolean {
  return encodeRestriction(one) === encodeRestriction(other);
}

function encodeRestriction(restriction: Restriction | null): string {
  const { scope_integration_id, scope_organization_id, scope_requester_id } =
    toRestrictionColumns(restriction);
  return JSON.stringify([scope_integration_id, scope_organization_id, scope_requester_id]);
}
