/**
 * Who signs its login with a client key: the token is held against the request, then against the key that it
 * names, and is used once. What is cheap comes first, and an address that has sent too many tokens that prove nothing
 * is turned away before a signature is verified for it. What else strangers send from there is counted apart: it
 * keeps nobody out who can sign.
 */
import {
  type Caller,
  callerOfKey,
  findLoginKey,
  type InboundLimiter,
  isSignedBy,
  redeemLogin as redeemLoginRow,
} from '../access/index.ts';
import { isSealdeskError, SealdeskError } from '../base/index.ts';
import { isMeantFor, isTimely, type LoginToken, parseLoginToken } from '../envelope/index.ts';
import type { Call } from '../proxy/index.ts';
import type { ServiceDeps } from './service-deps.ts';
import { assertStrangerMayTry, takeForStranger } from './strangers.ts';

/** A token whose signature was verified, and not yet used. */
export interface ProvenLogin {
  /** Who it is, to name it in what is refused from here on; not what it may do. */
  readonly caller: Caller;
  readonly token: LoginToken;
}

/**
 * The login that the token `text` proves for this very call. Rejects with UNAUTHENTICATED, with one text whatever
 * the cause, counted against the address; with TOO_MANY_REQUESTS where that has no try left.
 */
export async function proveLogin(
  { store, clock, publicUrl }: ServiceDeps,
  failedProofs: InboundLimiter,
  text: string,
  call: Call,
): Promise<ProvenLogin> {
  assertStrangerMayTry(failedProofs, call.ip);
  const token = parseLoginToken(text);
  const [method = '', path = ''] = call.requestTarget.split(' ');
  const request = { audience: publicUrl, method, path, bodySha256: call.requestSha256 };
  const isFit =
    token !== null && isTimely(token.claims, clock.now() / 1000) && isMeantFor(token.claims, request);
  if (isFit) {
    const found = await store.withSystem('client-key-lookup', (tx) =>
      findLoginKey(tx, token.claims.iss, clock.now()),
    );
    const isSigned = await isSignedBy(text, token, found?.key ?? null);
    if (found !== null && isSigned) return { caller: callerOfKey(found), token };
  }
  takeForStranger(failedProofs, call.ip);
  throw new SealdeskError(
    'UNAUTHENTICATED',
    'The login token is not valid. Sign a new one for this very request, by a clock that is right to half a minute.',
  );
}

/**
 * Uses a proven token: the caller with what its key may do now. Rejects with TOKEN_REUSED, counted against the
 * address, and with CLIENT_KEY_NOT_MAPPED, KEY_REVOKED or FORBIDDEN where the key may not log in.
 */
export async function redeemLogin(
  { store, clock }: ServiceDeps,
  failedProofs: InboundLimiter,
  { caller, token }: ProvenLogin,
  ip: string | null,
): Promise<Caller> {
  try {
    return await store.withTenant(caller.tenantId, (tx) => redeemLoginRow(tx, token, clock.now()));
  } catch (error) {
    // Somebody else has it, perhaps: the key does not pay for all of it.
    if (isSealdeskError(error, 'TOKEN_REUSED')) takeForStranger(failedProofs, ip);
    throw error;
  }
}
