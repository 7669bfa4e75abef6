/**
 * Whether a credential works, told in words for an admin. Zendesk answers `users/me` to anyone, with
 * an "Anonymous user" where the credential is wrong (zendesk-api §2.3), so a 200 alone proves nothing.
 */
import { isSealdeskError, type JsonObject, type JsonValue } from '../base/index.ts';
import type { ZendeskClient, ZendeskRequest } from './client.ts';
import { ZendeskError } from './zendesk-error.ts';

export type CredentialFault =
  | 'ANONYMOUS'
  | 'REFUSED'
  | 'NOT_AN_AGENT'
  | 'SUSPENDED'
  | 'DELETED'
  | 'FORBIDDEN'
  | 'NO_HELP_DESK'
  | 'REDIRECTED'
  | 'UNREACHABLE'
  | 'RATE_LIMITED'
  | 'UNUSABLE_ANSWER';

export type CredentialCheck =
  | {
      readonly ok: true;
      /** `null` where the OAuth scope lets tickets be read but not the user behind the token. */
      readonly role: 'agent' | 'admin' | null;
      readonly userId: number | null;
      readonly customRoleId: number | null;
      /** Zendesk's number for what kind of agent it is (zendesk-api §7); `null` where it does not tell. */
      readonly roleType: number | null;
    }
  | {
      readonly ok: false;
      readonly reason: CredentialFault;
      /** What is wrong, in plain words. */
      readonly message: string;
      /** What to do about it. */
      readonly remedy: string;
    };

/** How its calls are made; in the lane of people who wait where none is named. */
export type CheckOptions = Pick<ZendeskRequest, 'signal' | 'deadline' | 'lane' | 'caller'>;

const FAULTS: Readonly<Record<CredentialFault, { readonly message: string; readonly remedy: string }>> =
  Object.freeze({
    ANONYMOUS: {
      message: 'Zendesk treats the credential as nobody: it answers, but as to an anonymous visitor.',
      remedy:
        'Check the e-mail address and the API token, or use an OAuth client, and rotate the credential.',
    },
    REFUSED: {
      message: 'Zendesk refuses the credential.',
      remedy:
        'It is wrong, expired or revoked: make a new one in the Admin Center and rotate the credential.',
    },
    NOT_AN_AGENT: {
      message: 'The credential belongs to an end user, who may not use the tickets API.',
      remedy: 'Use the credential of an agent or admin.',
    },
    SUSPENDED: {
      message: 'The user behind the credential is suspended in Zendesk.',
      remedy: 'Lift the suspension, or use the credential of another agent.',
    },
    DELETED: {
      message: 'The user behind the credential is deleted in Zendesk.',
      remedy: 'Use the credential of another agent.',
    },
    FORBIDDEN: {
      message: 'Zendesk accepts the credential but lets it read neither its user nor tickets.',
      remedy: 'Give the OAuth client the scopes read, or tickets:read and users:read.',
    },
    NO_HELP_DESK: {
      message: 'There is no Zendesk account at this subdomain.',
      remedy: 'Check the spelling of the subdomain with updateIntegration.',
    },
    REDIRECTED: {
      message: 'This subdomain redirects to another address, and credentials are not sent there.',
      remedy:
        "Use the account's own subdomain, as in https://{subdomain}.zendesk.com, not a host-mapped name.",
    },
    UNREACHABLE: {
      message: 'Zendesk cannot be reached, or does not answer in time.',
      remedy: 'Check the network of the gateway and the status page of Zendesk, then try again.',
    },
    RATE_LIMITED: {
      message: 'Zendesk asks to pause, so the credential could not be checked.',
      remedy: 'Try again in a minute.',
    },
    UNUSABLE_ANSWER: {
      message: 'The answer does not look like one of Zendesk.',
      remedy: 'Check the subdomain, and whether a proxy stands between the gateway and Zendesk.',
    },
  });

/**
 * Checks the credential behind `client`. What may be expected comes as a value; other failures, such
 * as a KMS outage inside `authorize` or an abort, are thrown.
 */
export async function verifyCredential(
  client: ZendeskClient,
  options: CheckOptions = {},
): Promise<CredentialCheck> {
  try {
    const { body } = await client.request({
      method: 'GET',
      path: '/api/v2/users/me.json',
      mutation: false,
      ...options,
    });
    return judgeUser(body?.['user']);
  } catch (error) {
    if (isSealdeskError(error, 'UPSTREAM_FORBIDDEN')) return probeTickets(client, options);
    return faultOf(error);
  }
}

function judgeUser(user: JsonValue | undefined): CredentialCheck {
  if (!isObject(user)) return fault('UNUSABLE_ANSWER');
  const { id, role, custom_role_id: customRoleId, role_type: roleType } = user;
  if (!isId(id)) return fault('ANONYMOUS');
  if (user['active'] === false) return fault('DELETED');
  if (user['suspended'] === true) return fault('SUSPENDED');
  if (role !== 'agent' && role !== 'admin') return fault('NOT_AN_AGENT');
  return {
    ok: true,
    role,
    userId: id,
    customRoleId: isId(customRoleId) ? customRoleId : null,
    roleType: typeof roleType === 'number' ? roleType : null,
  };
}

/** A token with ticket scopes only may not read its own user, and is good all the same. */
async function probeTickets(client: ZendeskClient, options: CheckOptions): Promise<CredentialCheck> {
  try {
    await client.request({
      method: 'GET',
      path: '/api/v2/tickets.json',
      query: { 'page[size]': 1 },
      mutation: false,
      ...options,
    });
    return { ok: true, role: null, userId: null, customRoleId: null, roleType: null };
  } catch (error) {
    return faultOf(error);
  }
}

function faultOf(error: unknown): CredentialCheck {
  // Refused for good, and told so to all callers from now on.
  if (isSealdeskError(error, 'NEEDS_RECONNECT')) return fault('REFUSED');
  // The token call of an OAuth client may fail here too, with the same codes.
  if (!(error instanceof ZendeskError)) throw error;
  switch (error.failure) {
    case 'REFUSED':
      if (error.code === 'UPSTREAM_UNAUTHENTICATED') return fault('REFUSED');
      return fault(error.code === 'UPSTREAM_FORBIDDEN' ? 'FORBIDDEN' : 'UNUSABLE_ANSWER');
    case 'RATE_LIMITED':
    case 'NO_HELP_DESK':
    case 'REDIRECTED':
      return fault(error.failure);
    case 'SERVER_ERROR':
    case 'CONNECTION':
    case 'TIMEOUT':
      return fault('UNREACHABLE');
    case 'UNUSABLE':
    case 'OVERSIZE':
      return fault('UNUSABLE_ANSWER');
    case 'CANCELLED':
      throw error;
    default:
      return error.failure satisfies never;
  }
}

function fault(reason: CredentialFault): CredentialCheck {
  return Object.freeze({ ok: false, reason, ...FAULTS[reason] });
}

function isId(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
