/**
 * The creation of a ticket for a restricted client key: the requester is the one it is restricted to, or one of the
 * people of the organization it is restricted to, and is the author of the first comment. Of the other fields those
 * may be set that Zendesk lets its end users set.
 */
import { z } from 'zod';
import type { Restriction } from '../../access/index.ts';
import { type FieldIssue, isSealdeskError, SealdeskError } from '../../base/index.ts';
import type { Call } from '../catalogue/operation.ts';
import { readBody, records } from '../catalogue/records.ts';

/** Beside requester, organization and comment. */
const SETTABLE: ReadonlySet<string> = new Set([
  'subject',
  'priority',
  'type',
  'due_at',
  'custom_fields',
  'brand_id',
  'ticket_form_id',
]);
const OF_THE_ORGANIZATION = 'must be a person of the organization that the client key is restricted to';

interface Creation {
  readonly comment: { readonly public: boolean; readonly author_id?: number | undefined };
  readonly requester_id?: number | undefined;
  readonly organization_id?: number | null | undefined;
}

/** The creation as it is sent. Throws VALIDATION_FAILED naming every field that is not the key's to choose. */
export function holdCreation<Payload extends Creation>(payload: Payload, restriction: Restriction): Payload {
  const { comment, requester_id, organization_id, ...others } = payload;
  const requesterId = restriction.kind === 'REQUESTER' ? restriction.requesterId : requester_id;
  const organizationId = restriction.kind === 'ORGANIZATION' ? restriction.organizationId : undefined;
  const issues: FieldIssue[] = Object.entries(others)
    .filter(([name, value]) => value !== undefined && !SETTABLE.has(name))
    .map(([path]) => ({ path, message: 'cannot be set for a client key that is restricted' }));
  if (requesterId === undefined) {
    issues.push({ path: 'requester_id', message: OF_THE_ORGANIZATION });
  } else if (requester_id !== undefined && requester_id !== requesterId) {
    issues.push({
      path: 'requester_id',
      message: 'must be the requester that the client key is restricted to',
    });
  }
  if (organization_id != null && organization_id !== organizationId) {
    issues.push({
      path: 'organization_id',
      message: 'must be the organization that the client key is restricted to, or be left out',
    });
  }
  if (!comment.public) issues.push({ path: 'comment.public', message: 'must be true: others are not shown' });
  if (comment.author_id !== undefined && comment.author_id !== requesterId) {
    issues.push({ path: 'comment.author_id', message: 'must be the requester, or be left out' });
  }
  if (issues.length > 0) throw refusal(issues);
  return {
    ...payload,
    comment: { ...comment, author_id: requesterId },
    requester_id: requesterId,
    organization_id: organizationId,
  };
}

const MembershipBody = z.looseObject({ organizations: records });

/**
 * Asks Zendesk whether the requester belongs to the organization, before the ticket is sent. `call` passes the gate, so
 * that no other organization comes back. Rejects with VALIDATION_FAILED where not, or where there is no such person.
 */
export async function assertRequesterWithin(
  call: Call,
  requesterId: number | undefined,
  restriction: Restriction,
): Promise<void> {
  if (restriction.kind === 'REQUESTER') return;
  const isMember = await belongsTo(call, requesterId).catch((error: unknown) => {
    if (isSealdeskError(error, 'NOT_FOUND')) return false;
    throw isSealdeskError(error) ? error.with({ mutation: 'NOT_SENT' }) : error;
  });
  if (isMember) return;
  throw refusal([{ path: 'requester_id', message: OF_THE_ORGANIZATION }]).with({ mutation: 'NOT_SENT' });
}

async function belongsTo(call: Call, userId: number | undefined): Promise<boolean> {
  const response = await call({
    method: 'GET',
    path: `/api/v2/users/${userId}/organizations.json`,
    query: { 'page[size]': 100 },
  });
  return readBody(MembershipBody, response).organizations.length > 0;
}

function refusal(fields: readonly FieldIssue[]): SealdeskError {
  const names = fields.map(({ path }) => path).join(', ');
  return new SealdeskError('VALIDATION_FAILED', `The payload cannot be accepted; see ${names}.`, { fields });
}
