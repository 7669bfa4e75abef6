/**
 * `POST /oauth/tokens` of an account, whatever the grant (zendesk-api §2.2): asked in JSON, by one try, since nobody
 * but the caller knows whether a grant that was sent may be sent again.
 */
import { type Clock, encodeUtf8 } from '../base/index.ts';
import { openDeadline } from './deadline.ts';
import { parseRateLimits } from './rate-limit-reading.ts';
import { TransportFailure, type TransportReply, type ZendeskTransport } from './transport.ts';
import { judgeFailure, judgeReply, type Verdict } from './verdict.ts';
import type { ZendeskError } from './zendesk-error.ts';

export const TOKEN_PATH = '/oauth/tokens';
/** Seconds that an access token may be asked to live. */
export const ACCESS_TOKEN_SECONDS = Object.freeze({ least: 300, most: 172_800 });
/** Seconds that a refresh token may be asked to live. */
export const REFRESH_TOKEN_SECONDS = Object.freeze({ least: 604_800, most: 7_776_000 });
/** Seconds that an access token lives at least where Zendesk does not tell (NangoHQ/nango#6775). */
export const UNTOLD_ACCESS_SECONDS = 1_800;
const TIMEOUT_MS = 20_000;

export interface TokenEndpoint {
  readonly transport: ZendeskTransport;
  readonly clock: Clock;
  /** From `zendeskOrigin`. */
  readonly origin: string;
}

export interface TokenCall {
  /** Those that are undefined are left out. */
  readonly members: Readonly<Record<string, string | number | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** What to reject with where no answer came; `sent`: whether Zendesk may have been reached. */
  readonly failed: (error: ZendeskError, sent: boolean) => Error;
  /** What to reject with where Zendesk granted nothing. */
  readonly refused: (verdict: Verdict, reply: TransportReply) => Error;
}

/** Resolves to the answer that grants, its body not looked at. Rejects with the signal's reason when aborted. */
export async function callTokenEndpoint(
  { transport, clock, origin }: TokenEndpoint,
  { members, signal, failed, refused }: TokenCall,
): Promise<TransportReply> {
  using limit = openDeadline(clock, clock.now() + TIMEOUT_MS, signal);
  let reply: TransportReply;
  try {
    reply = await transport.send({
      origin,
      method: 'POST',
      path: TOKEN_PATH,
      headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'sealdesk' },
      body: encodeUtf8(JSON.stringify(members)),
      signal: limit.signal,
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof TransportFailure)) throw error;
    throw failed(judgeFailure(error, limit.expired()).error, error.sent);
  }
  if (reply.status >= 200 && reply.status < 300) return reply;
  const now = clock.now();
  throw refused(judgeReply(reply, parseRateLimits(reply.headers, TOKEN_PATH, now), now), reply);
}
