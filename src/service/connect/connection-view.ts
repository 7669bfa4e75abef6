/** What may be told of an authorization at Zendesk. */
import type { Authorization } from '../../proxy/index.ts';
import { CONNECT_FAILURES, isConnectFailureCode } from './connect-failure.ts';

/** UNDER_WAY: the browser has come back, and the account is being looked at. */
export type ConnectionStatus = 'PENDING' | 'UNDER_WAY' | 'CONNECTED' | 'DENIED' | 'FAILED' | 'EXPIRED';

export interface ConnectionView {
  readonly id: string;
  readonly integrationId: string;
  readonly status: ConnectionStatus;
  readonly scopes: readonly string[];
  readonly failure: {
    readonly code: string;
    readonly message: string;
    readonly remedy: string;
    readonly missingScopes: readonly string[];
  } | null;
  readonly credentialId: string | null;
  readonly replacedCredentialId: string | null;
  /** Until when tokens may live at Zendesk that could not be taken back. */
  readonly leftAtZendeskUntil: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly finishedAt: Date | null;
}

/** `now` in milliseconds since 1970. */
export function toConnectionView(authorization: Authorization, now: number): ConnectionView {
  const { id, integrationId, scopes, failure, missingScopes, credentialId, replacedCredentialId } =
    authorization;
  const { createdAt, expiresAt, finishedAt, leftUntil } = authorization;
  return {
    ...{ id, integrationId, scopes, credentialId, replacedCredentialId, createdAt, expiresAt, finishedAt },
    status: statusOf(authorization, now),
    failure: isConnectFailureCode(failure)
      ? { code: failure, ...CONNECT_FAILURES[failure], missingScopes }
      : null,
    leftAtZendeskUntil: leftUntil,
  };
}

function statusOf({ status, expiresAt }: Authorization, now: number): ConnectionStatus {
  switch (status) {
    case 'PENDING':
      return expiresAt.getTime() > now ? 'PENDING' : 'EXPIRED';
    case 'EXCHANGING':
    case 'GRANTED':
      return 'UNDER_WAY';
    case 'CONNECTED':
    case 'DENIED':
    case 'FAILED':
    case 'EXPIRED':
      return status;
    default:
      return status satisfies never;
  }
}
