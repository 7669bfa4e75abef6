/**
 * Names in notes: of keys (C2SP signed-note: not empty, no Unicode space, no plus) and of logs (C2SP
 * tlog-checkpoint: the origin, for which the same is only recommended there and demanded here).
 */

/** Characters of a key's name or an origin. */
export const MAX_NAME_LENGTH = 255;

// White space as Go's unicode.IsSpace has it, which the tools of other logs use, and every control.
const UNFIT = /[\p{White_Space}\p{Cc}+]/u;

export function isKeyName(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name.length >= 1 &&
    name.length <= MAX_NAME_LENGTH &&
    name.isWellFormed() &&
    !UNFIT.test(name)
  );
}
