/**
 * Who may call: API tokens, OAuth clients and the tokens given out to them. Secrets are compared as plain
 * strings; this is a stand-in with invented credentials, not an identity provider.
 */
import { randomBytes } from 'node:crypto';
import { ADMIN_EMAIL } from './account.ts';
import { newEndUser } from './new-user.ts';
import {
  type ApiTokenAccount,
  DEFAULT_ACCESS_TOKENS,
  DEFAULT_API_TOKENS,
  defaultOAuthClients,
  type OAuthClientAccount,
  type SimulatorClock,
  type SimulatorOptions,
} from './options.ts';
import type { UserRole, UserRow } from './records.ts';
import { invalidToken, unauthenticated } from './reply.ts';
import type { Store } from './store.ts';

export interface AccessToken {
  readonly id: number;
  readonly token: string;
  readonly clientId: string | null;
  readonly userId: number;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly refreshToken: string | null;
  readonly refreshExpiresAt: number | null;
  usedAt: number | null;
  revoked: boolean;
}

/** Who sent a call. `scopes` is null for API tokens, which have none and may do all their user may. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | {
      readonly kind: 'user';
      readonly user: UserRow;
      readonly scopes: readonly string[] | null;
      readonly token: AccessToken | null;
    };

export interface IssueOptions {
  readonly clientId?: string | null;
  readonly email?: string;
  readonly scopes?: readonly string[];
  /** Seconds; null = never. */
  readonly expiresIn?: number | null;
  /** Also issue a refresh token, living this many seconds. */
  readonly refreshExpiresIn?: number | null;
  readonly token?: string;
}

const opaqueToken = (): string => randomBytes(32).toString('hex');

export class Credentials {
  readonly #clock: SimulatorClock;
  readonly #store: Store;
  readonly #apiTokens: readonly ApiTokenAccount[];
  readonly #clients = new Map<string, OAuthClientAccount>();
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, AccessToken>();
  #sequence = 6_130_908_000_000;

  constructor(clock: SimulatorClock, store: Store, accounts: SimulatorOptions['accounts']) {
    this.#clock = clock;
    this.#store = store;
    this.#apiTokens = accounts?.apiTokens ?? DEFAULT_API_TOKENS;
    for (const client of accounts?.oauthClients ?? defaultOAuthClients())
      this.#clients.set(client.clientId, client);
    for (const account of this.#apiTokens) {
      const user = this.#ensureUser(account.email, account.role ?? 'admin');
      if (account.role !== undefined) store.updateUser(user, { role: account.role }, null);
      if (account.suspended !== undefined) store.updateUser(user, { suspended: account.suspended }, null);
    }
    for (const account of accounts?.accessTokens ?? DEFAULT_ACCESS_TOKENS) {
      const issued = this.issue({ ...account, expiresIn: null });
      if (account.expiresAt !== undefined) {
        this.#access.set(issued.token, { ...issued, expiresAt: account.expiresAt });
      }
    }
  }

  #ensureUser(email: string, role: UserRole): UserRow {
    const known = this.#store.userByEmail(email);
    if (known) return known;
    const now = this.#clock.now();
    const fields = { ...newEndUser(email.split('@')[0] ?? email, email, now), role, verified: true };
    const user = this.#store.addUser(fields);
    const [group] = this.#store.groups;
    if (group && role !== 'end-user') this.#store.memberships.join(user, group.id, true, now);
    return user;
  }

  client(clientId: string): OAuthClientAccount | null {
    return this.#clients.get(clientId) ?? null;
  }

  /** Gives out an access token (and a refresh token when `refreshExpiresIn` is set). */
  issue(options: IssueOptions): AccessToken {
    const now = this.#clock.now();
    const user = this.#ensureUser(options.email ?? ADMIN_EMAIL, 'admin');
    this.#sequence += 1;
    const refreshIn = options.refreshExpiresIn ?? null;
    const issued: AccessToken = {
      id: this.#sequence,
      token: options.token ?? opaqueToken(),
      clientId: options.clientId ?? null,
      userId: user.id,
      scopes: options.scopes ?? ['read', 'write'],
      createdAt: now,
      expiresAt: options.expiresIn == null ? null : now + options.expiresIn * 1000,
      refreshToken: refreshIn === null ? null : opaqueToken(),
      refreshExpiresAt: refreshIn === null ? null : now + refreshIn * 1000,
      usedAt: null,
      revoked: false,
    };
    this.#access.set(issued.token, issued);
    if (issued.refreshToken) this.#refresh.set(issued.refreshToken, issued);
    return issued;
  }

  /** Ends an access token together with its refresh token. False when it is not known. */
  revoke(token: string): boolean {
    const known = this.#access.get(token);
    if (!known) return false;
    known.revoked = true;
    this.#access.delete(token);
    if (known.refreshToken) this.#refresh.delete(known.refreshToken);
    return true;
  }

  /** Takes a refresh token out of use, with its access token: single use. Null when unknown, used or expired. */
  consumeRefresh(refreshToken: string): AccessToken | null {
    const known = this.#refresh.get(refreshToken);
    if (!known) return null;
    if (known.refreshExpiresAt !== null && known.refreshExpiresAt <= this.#clock.now()) return null;
    this.revoke(known.token);
    return known;
  }

  findRefresh(refreshToken: string): AccessToken | null {
    return this.#refresh.get(refreshToken) ?? null;
  }

  userOf(token: AccessToken): UserRow {
    const user = this.#store.user(token.userId);
    if (!user?.active) throw invalidToken();
    return user;
  }

  /**
   * Reads the Authorization header. A password that is wrong (every password here) gives the anonymous
   * caller; a wrong API token or bearer throws the 401 that Zendesk sends today.
   */
  authenticate(authorization: string | undefined): Caller {
    if (authorization === undefined) return { kind: 'anonymous' };
    const [scheme = '', value = ''] = authorization.split(/\s+/, 2);
    if (scheme.toLowerCase() === 'bearer') return this.#bearer(value);
    if (scheme.toLowerCase() === 'basic') return this.#basic(value);
    throw unauthenticated();
  }

  #bearer(value: string): Caller {
    const token = this.#access.get(value);
    if (!token || token.revoked) throw invalidToken();
    const now = this.#clock.now();
    if (token.expiresAt !== null && token.expiresAt <= now) throw invalidToken();
    token.usedAt = now;
    return { kind: 'user', user: this.userOf(token), scopes: token.scopes, token };
  }

  #basic(value: string): Caller {
    const decoded = Buffer.from(value, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    const login = colon < 0 ? decoded : decoded.slice(0, colon);
    if (!login.endsWith('/token')) return { kind: 'anonymous' };
    const email = login.slice(0, -'/token'.length).toLowerCase();
    const secret = decoded.slice(colon + 1);
    const account = this.#apiTokens.find(
      (known) => known.email.toLowerCase() === email && known.token === secret,
    );
    const user = account ? this.#store.userByEmail(account.email) : null;
    if (!user?.active) throw unauthenticated();
    return { kind: 'user', user, scopes: null, token: null };
  }
}
