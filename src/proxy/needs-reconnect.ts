/** What callers are told of an integration whose credential Zendesk does not accept any more. */
import { SealdeskError } from '../base/index.ts';
import type { ReconnectReason } from '../store/index.ts';

/** What happened, in a sentence. */
export const RECONNECT_REASONS: Readonly<Record<ReconnectReason, string>> = Object.freeze({
  REFUSED: 'Zendesk does not accept the credential of the integration any more.',
  EXPIRED: 'The refresh token of the integration has ended, since it was not used in time.',
  LOST_IN_REFRESH:
    'The tokens of the integration were lost: Zendesk had given out new ones when the gateway was stopped, before they were stored.',
});

/** Below the gateway's public address: the page that tells how to connect the integration again. */
function reconnectPath(integrationId: string): string {
  return `/oauth/zendesk/reconnect/${integrationId}`;
}

/** NEEDS_RECONNECT, with what an ADMIN has to do. */
export function needsReconnect(integrationId: string, reason: ReconnectReason): SealdeskError {
  return new SealdeskError(
    'NEEDS_RECONNECT',
    `${RECONNECT_REASONS[reason]} Nothing is sent to Zendesk until an ADMIN connects it again: sealdesk connect ${integrationId}`,
    { subject: integrationId, mend: reconnectPath(integrationId) },
  );
}

/** `error` with its `mend`, a path of the gateway's, made an address that a person can open. */
export function withMendLink(error: SealdeskError, publicUrl: string): SealdeskError {
  const { mend } = error.details;
  return mend?.startsWith('/') === true ? error.with({ mend: `${publicUrl}${mend}` }) : error;
}
