/** How an integration is connected to Zendesk, when that ends, and what keeps it up. Tells nothing secret. */
import { RECONNECT_REASONS } from '../../proxy/index.ts';
import type { CredentialType, IntegrationStatus, ReconnectReason } from '../../store/index.ts';

/** What the database tells of one integration's connection. */
export interface ConnectionRecord {
  readonly integrationId: string;
  readonly status: IntegrationStatus;
  readonly reconnectReason: ReconnectReason | null;
  readonly reconnectSince: Date | null;
  /** `null` without a credential. */
  readonly credentialType: CredentialType | null;
  readonly credentialExpiresAt: Date | null;
  readonly tokenExpiresAt: Date | null;
  readonly refreshExpiresAt: Date | null;
}

export interface IntegrationConnectionView {
  readonly status: 'CONNECTED' | 'NEEDS_RECONNECT' | 'NOT_CONNECTED';
  readonly credentialType: CredentialType | null;
  readonly accessTokenExpiresAt: Date | null;
  readonly refreshTokenExpiresAt: Date | null;
  readonly reconnectReason: ReconnectReason | null;
  readonly reconnectSince: Date | null;
  /** When it ends unless somebody, or for a refresh token some call, renews it; `null` where no end is known. */
  readonly endsAt: Date | null;
  /** Whole days until then, 0 when it is over. */
  readonly daysLeft: number | null;
  readonly restsOnApiToken: boolean;
  /** What an admin has to do, `null` for nothing. */
  readonly remedy: string | null;
}

/** When Zendesk stops accepting API tokens, by its announcement. */
export const API_TOKEN_END = new Date('2027-04-30T00:00:00Z');
/** From when on an end is announced. */
export const ENDING_SOON_MS = 14 * 86_400_000;
const DAY_MS = 86_400_000;

/** `now` in milliseconds since 1970. */
export function toConnectionView(record: ConnectionRecord, now: number): IntegrationConnectionView {
  const { credentialType, reconnectReason } = record;
  const endsAt = endOf(record);
  return {
    status:
      credentialType === null ? 'NOT_CONNECTED' : reconnectReason === null ? 'CONNECTED' : 'NEEDS_RECONNECT',
    credentialType,
    accessTokenExpiresAt:
      record.tokenExpiresAt ?? (credentialType === 'oauth2_token' ? record.credentialExpiresAt : null),
    refreshTokenExpiresAt: record.refreshExpiresAt,
    reconnectReason,
    reconnectSince: record.reconnectSince,
    endsAt,
    daysLeft: endsAt === null ? null : Math.max(0, Math.floor((endsAt.getTime() - now) / DAY_MS)),
    restsOnApiToken: credentialType === 'basic_auth',
    remedy: remedyOf(record, endsAt, now),
  };
}

/** When the connection ends if it is left alone; `null` where that is not known. */
export function endOf(record: ConnectionRecord): Date | null {
  const { credentialType, credentialExpiresAt, refreshExpiresAt } = record;
  const ends = [
    credentialExpiresAt,
    refreshExpiresAt,
    credentialType === 'basic_auth' ? API_TOKEN_END : null,
  ];
  const times = ends.flatMap((end) => end?.getTime() ?? []);
  return times.length === 0 ? null : new Date(Math.min(...times));
}

function remedyOf(record: ConnectionRecord, endsAt: Date | null, now: number): string | null {
  const { integrationId, credentialType, reconnectReason } = record;
  const connect = `sealdesk connect ${integrationId}`;
  if (credentialType === null) return `Connect it: ${connect}`;
  if (reconnectReason !== null) return mendingOf(credentialType, reconnectReason, connect);
  if (credentialType === 'basic_auth') {
    return `Move it from the API token to OAuth: ${connect}. Its id, policy and history stay.`;
  }
  if (endsAt === null || endsAt.getTime() - now > ENDING_SOON_MS) return null;
  return record.refreshExpiresAt?.getTime() === endsAt.getTime()
    ? `A running gateway renews the refresh token before it ends. If it does not, connect it again: ${connect}`
    : `Connect it again: ${connect}. Or rotate its credential with rotateCredential.`;
}

function mendingOf(type: CredentialType, reason: ReconnectReason, connect: string): string {
  const again = `Connect it again: ${connect}`;
  const retry =
    'If it was refused for something that is mended in Zendesk, name the same credential in updateIntegration to have it tried once more.';
  switch (type) {
    case 'oauth2_token':
      return reason === 'REFUSED'
        ? `${RECONNECT_REASONS.REFUSED} ${again}. ${retry}`
        : `${RECONNECT_REASONS[reason]} ${again}`;
    case 'oauth2_client':
      return `Check in the Admin Center that the OAuth client is there and its user an active agent, and rotate the credential with rotateCredential. ${retry}`;
    case 'basic_auth':
      return `The API token was deleted or deactivated, or its user suspended. Move to OAuth: ${connect}. ${retry}`;
    case 'api_key':
      return again;
    default:
      return type satisfies never;
  }
}
