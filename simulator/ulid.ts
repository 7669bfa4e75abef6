/** Ids as the webhook services give them out: 26 characters of Crockford base32, sortable by time (ULID). */
import { randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `now` in milliseconds makes the first 10 characters, chance the other 16. */
export const createUlid = (now: number): string => {
  let time = Math.max(0, Math.floor(now));
  let head = '';
  for (let index = 0; index < 10; index += 1) {
    head = `${ALPHABET.charAt(time % 32)}${head}`;
    time = Math.floor(time / 32);
  }
  const tail = Array.from(randomBytes(16), (byte) => ALPHABET.charAt(byte % 32)).join('');
  return `${head}${tail}`;
};
