/** Where people are signed in. Seeded for those whose last login is not long ago; made when first asked for. */
import { FIRST_USER_ID } from './account.ts';
import { createRandom, mixSeed } from './random.ts';
import type { SessionRow, UserRow } from './records.ts';

const DAY = 86_400_000;
/** A session ends when it was not used for so long. */
const LIFETIME = 14 * DAY;
const FIRST_SESSION_ID = 6_150_000_000_000;
const SESSION_ID_STRIDE = 16;

export class Sessions {
  readonly #seed: number;
  readonly #anchor: number;
  readonly #byUser = new Map<number, readonly SessionRow[]>();
  #sequence = 0;

  constructor(seed: number, anchor: number) {
    this.#seed = seed;
    this.#anchor = anchor;
  }

  of(user: UserRow): readonly SessionRow[] {
    const known = this.#byUser.get(user.id);
    if (known) return known;
    const { id, lastLoginAt } = user;
    if (lastLoginAt === null || lastLoginAt < this.#anchor - LIFETIME) return [];
    const index = (id - FIRST_USER_ID) / 7;
    const random = createRandom(mixSeed(this.#seed, index, 8));
    return Array.from({ length: 1 + random.below(3) }, (_, place) => ({
      id: FIRST_SESSION_ID + index * SESSION_ID_STRIDE + place,
      userId: id,
      authenticatedAt: lastLoginAt - place * DAY,
      lastSeenAt: lastLoginAt,
    }));
  }

  /** Signs a user in anew. */
  begin(user: UserRow, now: number): SessionRow {
    this.#sequence += 1;
    const second = Math.floor(now / 1000) * 1000;
    const row = {
      id: FIRST_SESSION_ID - this.#sequence,
      userId: user.id,
      authenticatedAt: second,
      lastSeenAt: second,
    };
    this.#byUser.set(user.id, [...this.of(user), row]);
    return row;
  }

  /** False when the user has no such session. */
  end(user: UserRow, id: number): boolean {
    const rest = this.of(user).filter((row) => row.id !== id);
    if (rest.length === this.of(user).length) return false;
    this.#byUser.set(user.id, rest);
    return true;
  }

  endAll(user: UserRow): void {
    this.#byUser.set(user.id, []);
  }
}
