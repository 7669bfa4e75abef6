import { ML_KEM_768 } from './algorithms.ts';

const Q = 3329;
const COEFFICIENT_BYTES = 1152;

/**
 * The check that FIPS 203 §7.2 asks for before a key is used to encapsulate: its size, and that
 * decoding and encoding its coefficients gives the same bytes, which is so exactly when each of
 * the 768 twelve-bit numbers is below q = 3329. The last 32 bytes, ρ, can be anything.
 */
export function isEncapsulationKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== ML_KEM_768.publicKey) return false;
  let reduced = true;
  for (let offset = 0; offset < COEFFICIENT_BYTES; offset += 3) {
    const low = publicKey[offset] as number;
    const middle = publicKey[offset + 1] as number;
    const high = publicKey[offset + 2] as number;
    reduced = (low | ((middle & 0x0f) << 8)) < Q && ((middle >> 4) | (high << 4)) < Q && reduced;
  }
  return reduced;
}
