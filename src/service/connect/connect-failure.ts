/**
 * Why an account was not connected: each reason with what it means and what to do, in words for an admin. The codes
 * are what `connect_error` and the graph say; docs/connecting.md lists them, which a test holds it to.
 */
import type { CredentialFault, ZendeskError } from '../../zendesk/index.ts';

export interface ConnectFailureRow {
  readonly message: string;
  readonly remedy: string;
}

const AGAIN = 'Begin again with connectZendesk.';

const ROWS = {
  ACCESS_DENIED: {
    message: 'At Zendesk the request for access was denied.',
    remedy: 'Begin again, and choose Allow on the page of Zendesk.',
  },
  SCOPE_REFUSED: {
    message: 'The OAuth client may not ask for the scopes that the operations of the integration need.',
    remedy:
      'Give the OAuth client these scopes in the Admin Center, or allow fewer operations; then begin again.',
  },
  REQUEST_REFUSED: {
    message: 'Zendesk did not accept the request for access.',
    remedy: 'Check kind and redirect URL of the OAuth client in the Admin Center, then begin again.',
  },
  CODE_REFUSED: {
    message: 'Zendesk did not accept the code that it had sent: it is good once, and for two minutes.',
    remedy: AGAIN,
  },
  CLIENT_REFUSED: {
    message: 'Zendesk does not accept the id or the secret of the OAuth client.',
    remedy: 'Copy both anew from the Admin Center, then begin again.',
  },
  CLIENT_CHANGED: {
    message: 'The OAuth client of the installation has been exchanged for another meanwhile.',
    remedy: AGAIN,
  },
  SCOPE_MISSING: {
    message: 'Zendesk granted less than was asked for.',
    remedy: 'Give the OAuth client the scopes that are missing in the Admin Center, then begin again.',
  },
  NOT_AN_AGENT: {
    message: 'Who allowed the access is an end user, and end users may not use the API of tickets and users.',
    remedy: 'Begin again, and sign in to Zendesk as an admin.',
  },
  LIGHT_AGENT: {
    message: 'Who allowed the access is a light agent, a chat agent or a contributor, who may do too little.',
    remedy: 'Begin again, and sign in to Zendesk as an admin.',
  },
  SUSPENDED: {
    message: 'The user who allowed the access is suspended or deleted in Zendesk.',
    remedy: 'Begin again, and sign in to Zendesk as another admin.',
  },
  ANONYMOUS: {
    message: 'Zendesk does not tell whose account was connected.',
    remedy: 'Begin again; where it stays so, look at the OAuth client in the Admin Center.',
  },
  WRONG_SUBDOMAIN: {
    message:
      'There is no Zendesk account at the subdomain of the integration, or it lives at another address.',
    remedy: 'Create an integration with the right subdomain, and connect that.',
  },
  UNREACHABLE: {
    message: 'Zendesk could not be reached, or did not answer in time.',
    remedy: 'Begin again in a few minutes.',
  },
  UNUSABLE_ANSWER: {
    message: 'Zendesk answered something else than an account with its tokens.',
    remedy:
      'Check the subdomain, and whether a proxy stands between the gateway and Zendesk; then begin again.',
  },
  INTERRUPTED: {
    message: 'The gateway stopped while it was connecting the account.',
    remedy: AGAIN,
  },
  KEY_ENDED: {
    message: 'The API key that began this has been revoked, or has expired, meanwhile.',
    remedy: 'Begin again with an API key of an ADMIN that is valid.',
  },
  INTEGRATION_GONE: {
    message: 'The integration has been deleted meanwhile.',
    remedy: 'Create it anew and connect that.',
  },
} as const satisfies Record<string, ConnectFailureRow>;

export type ConnectFailureCode = keyof typeof ROWS;

export const CONNECT_FAILURES: Readonly<Record<ConnectFailureCode, ConnectFailureRow>> = Object.freeze(
  Object.assign(Object.create(null), ROWS),
);

export function isConnectFailureCode(code: unknown): code is ConnectFailureCode {
  return typeof code === 'string' && Object.hasOwn(ROWS, code);
}

/** What a failed exchange comes to. */
export function failureOfExchange(error: ZendeskError): ConnectFailureCode {
  switch (error.failure) {
    case 'REFUSED':
      if (error.details.upstreamError === 'invalid_grant') return 'CODE_REFUSED';
      if (error.details.upstreamError === 'invalid_client') return 'CLIENT_REFUSED';
      return error.code === 'NOT_FOUND' ? 'WRONG_SUBDOMAIN' : 'REQUEST_REFUSED';
    case 'NO_HELP_DESK':
    case 'REDIRECTED':
      return 'WRONG_SUBDOMAIN';
    case 'RATE_LIMITED':
    case 'SERVER_ERROR':
    case 'CONNECTION':
    case 'TIMEOUT':
    case 'CANCELLED':
      return 'UNREACHABLE';
    case 'OVERSIZE':
    case 'UNUSABLE':
      return 'UNUSABLE_ANSWER';
    default:
      return error.failure satisfies never;
  }
}

/** What a token that is not good enough comes to. */
export function failureOfAccount(fault: CredentialFault): ConnectFailureCode {
  switch (fault) {
    case 'DELETED':
      return 'SUSPENDED';
    case 'FORBIDDEN':
      return 'SCOPE_MISSING';
    case 'NO_HELP_DESK':
    case 'REDIRECTED':
      return 'WRONG_SUBDOMAIN';
    case 'RATE_LIMITED':
      return 'UNREACHABLE';
    case 'REFUSED':
      return 'UNUSABLE_ANSWER';
    case 'ANONYMOUS':
    case 'NOT_AN_AGENT':
    case 'SUSPENDED':
    case 'UNREACHABLE':
    case 'UNUSABLE_ANSWER':
      return fault;
    default:
      return fault satisfies never;
  }
}
