/**
 * What people at the consent page granted: authorization codes, good once and for 120 seconds, and how the token
 * endpoint misbehaves on demand. Part of the account, so a reset of the data forgets the codes.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { SimulatorClock } from './options.ts';

/** The lifetime of a code, in milliseconds (zendesk-api §2.2). */
export const CODE_LIFETIME_MS = 120_000;
const MAX_CODES = 10_000;

export interface GrantedCode {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** Who consented. */
  readonly email: string;
  /** S256; null where the client sent none. */
  readonly challenge: string | null;
  readonly expiresAt: number;
}

/** How the token endpoint answers, until it is changed again. */
export interface OAuthBehaviour {
  /** Scopes that no token gets, though they were asked for and consented to. */
  readonly dropScopes?: readonly string[];
  /** Leaves `expires_in` out of every answer, also where the request named it. */
  readonly omitExpiresIn?: boolean;
}

export class OAuthGrants {
  readonly #clock: SimulatorClock;
  readonly #codes = new Map<string, GrantedCode>();
  #behaviour: Required<OAuthBehaviour> = { dropScopes: [], omitExpiresIn: false };

  constructor(clock: SimulatorClock) {
    this.#clock = clock;
  }

  get behaviour(): Required<OAuthBehaviour> {
    return this.#behaviour;
  }

  /** What is left out goes back to how it is usually. */
  behave(behaviour: OAuthBehaviour): void {
    this.#behaviour = {
      dropScopes: [...(behaviour.dropScopes ?? [])],
      omitExpiresIn: behaviour.omitExpiresIn ?? false,
    };
  }

  grant(granted: Omit<GrantedCode, 'expiresAt'>): string {
    const code = randomBytes(32).toString('hex');
    this.#codes.set(code, { ...granted, expiresAt: this.#clock.now() + CODE_LIFETIME_MS });
    const oldest = this.#codes.keys().next().value;
    if (this.#codes.size > MAX_CODES && oldest !== undefined) this.#codes.delete(oldest);
    return code;
  }

  /** Takes a code out of use, whether or not the rest of the request is right. Null when unknown, used or expired. */
  consume(code: string): GrantedCode | null {
    const granted = this.#codes.get(code);
    this.#codes.delete(code);
    return granted && granted.expiresAt > this.#clock.now() ? granted : null;
  }

  without(scopes: readonly string[]): readonly string[] {
    return scopes.filter((scope) => !this.#behaviour.dropScopes.includes(scope));
  }
}

/** Whether `verifier` (43 to 128 unreserved characters) is what `challenge` was made of: RFC 7636 §4.6, S256. */
export const matchesChallenge = (verifier: unknown, challenge: string): boolean =>
  typeof verifier === 'string' &&
  /^[A-Za-z0-9._~-]{43,128}$/.test(verifier) &&
  createHash('sha256').update(verifier).digest('base64url') === challenge;
