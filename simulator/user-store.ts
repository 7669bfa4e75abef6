/**
 * The users of the account, found by id, by any of their addresses and by external id. Every change moves the
 * user's place in the incremental export. Where two share an address or external id (odd-people.ts), the first
 * is found.
 */
import { FIRST_USER_ID } from './account.ts';
import type { IdentityRow, UserRow } from './records.ts';

/** Between the ids of a user's addresses. */
const IDENTITY_ID_STRIDE = 64;
const FIRST_IDENTITY_ID = 6_140_000_000_000;

const without = <T>(list: readonly T[], leaving: (item: T) => boolean): T[] =>
  list.filter((item) => !leaving(item));

export class UserStore {
  readonly #rows: UserRow[];
  readonly #byId = new Map<number, UserRow>();
  readonly #byEmail = new Map<string, UserRow>();
  readonly #byExternalId = new Map<string, UserRow>();
  /** Addresses besides the primary one. */
  readonly #secondary = new Map<number, IdentityRow[]>();
  #identitySequence = 0;
  readonly #changed: () => void;
  #sequence: number;

  /** `changed` is told of every change. */
  constructor(rows: UserRow[], changed: () => void) {
    this.#rows = rows;
    this.#changed = changed;
    this.#sequence = rows.length;
    for (const row of rows) this.#index(row);
  }

  #index(user: UserRow): void {
    this.#byId.set(user.id, user);
    for (const { value } of this.identities(user)) {
      const email = value.toLowerCase();
      if (!this.#byEmail.has(email)) this.#byEmail.set(email, user);
    }
    const externalId = user.externalId?.toLowerCase();
    if (user.active && externalId !== undefined && !this.#byExternalId.has(externalId)) {
      this.#byExternalId.set(externalId, user);
    }
  }

  #forget(user: UserRow): void {
    for (const { value } of this.identities(user)) {
      if (this.#byEmail.get(value.toLowerCase()) === user) this.#byEmail.delete(value.toLowerCase());
    }
    const externalId = user.externalId?.toLowerCase() ?? '';
    if (this.#byExternalId.get(externalId) === user) this.#byExternalId.delete(externalId);
  }

  /** By ascending id, deleted ones included. */
  get rows(): readonly UserRow[] {
    return this.#rows;
  }

  get(id: number): UserRow | null {
    return this.#byId.get(id) ?? null;
  }

  /** By any address, whatever its case. */
  byEmail(email: string): UserRow | null {
    return this.#byEmail.get(email.toLowerCase()) ?? null;
  }

  byExternalId(externalId: string): UserRow | null {
    return this.#byExternalId.get(externalId.toLowerCase()) ?? null;
  }

  add(fields: Omit<UserRow, 'id'>): UserRow {
    const user: UserRow = { id: FIRST_USER_ID + this.#sequence * 7, ...fields };
    this.#sequence += 1;
    this.#rows.push(user);
    this.#index(user);
    this.#changed();
    return user;
  }

  /** `now` null leaves the user's times as they are. */
  update(user: UserRow, changes: Partial<UserRow>, now: number | null): void {
    this.#forget(user);
    if (now !== null) {
      const second = Math.floor(now / 1000);
      user.updatedAt = second * 1000;
      user.generatedAt = Math.max(user.generatedAt, second);
    }
    Object.assign(user, changes);
    this.#index(user);
    this.#changed();
  }

  /** The primary address first; none when the user has no address. */
  identities(user: UserRow): readonly IdentityRow[] {
    const { id, email, verified, createdAt } = user;
    if (email === null) return [];
    const primary = {
      id: FIRST_IDENTITY_ID + ((id - FIRST_USER_ID) / 7) * IDENTITY_ID_STRIDE,
      value: email,
      verified,
      createdAt,
    };
    return [primary, ...(this.#secondary.get(id) ?? [])];
  }

  /** Whether any of the user's addresses satisfies the test. */
  someAddress(user: UserRow, test: (address: string) => boolean): boolean {
    if (user.email === null) return false;
    return test(user.email) || (this.#secondary.get(user.id)?.some(({ value }) => test(value)) ?? false);
  }

  addIdentity(user: UserRow, value: string, verified: boolean, now: number): IdentityRow {
    this.#identitySequence += 1;
    const row = {
      id: FIRST_IDENTITY_ID - this.#identitySequence,
      value,
      verified,
      createdAt: Math.floor(now / 1000) * 1000,
    };
    this.#secondary.set(user.id, [...(this.#secondary.get(user.id) ?? []), row]);
    this.update(user, {}, now);
    return row;
  }

  /** Takes away an address that is not the primary one. */
  removeIdentity(user: UserRow, id: number, now: number): void {
    this.#forget(user);
    const rest = without(this.#secondary.get(user.id) ?? [], (row) => row.id === id);
    this.#secondary.set(user.id, rest);
    this.update(user, {}, now);
  }

  /** Exchanges the primary address with a secondary one. */
  makePrimary(user: UserRow, identity: IdentityRow, now: number): void {
    this.#forget(user);
    const rest = without(this.#secondary.get(user.id) ?? [], (row) => row.id === identity.id);
    const former = user.email === null ? [] : [{ ...identity, value: user.email, verified: user.verified }];
    this.#secondary.set(user.id, [...rest, ...former]);
    this.update(user, { email: identity.value, verified: identity.verified }, now);
  }

  /** Takes away every address, as when the user is deleted. */
  dropIdentities(user: UserRow, now: number): void {
    this.#forget(user);
    this.#secondary.delete(user.id);
    this.update(user, { email: null }, now);
  }
}
