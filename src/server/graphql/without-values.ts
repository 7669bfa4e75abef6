/**
 * The library's complaints about documents and variables quote the values at fault, which may be
 * secrets. Where a message tells of a value, it is put anew from the names of the schema in it; of
 * all else only the quoted tokens of a syntax error are taken out.
 */

/** `Variable "$input" got invalid value {value} at "input.roles[0]"; {reason}`, where the place may be missing. */
const COERCION = /^Variable "\$(\w+)" got invalid value /;
/** Quotes within values are escaped, so that an unescaped one belongs to the library's own text. */
const PLACE = / at "([\w.[\]]+)"; /;

/** What is told anew, by the name of the schema in it. */
const REASONS: readonly (readonly [RegExp, (name: string) => string])[] = [
  [
    /(?:^|; )Expected value of type "\w+" to include required field "(\w+)"/,
    (name) => `Required field "${name}" is missing.`,
  ],
  [
    /(?:^|; )Expected value of type "(\w+)" not to include unknown field/,
    (name) => `"${name}" has no field of this name.`,
  ],
  [
    /(?:^|; )Expected value of (?:non-null )?type "([\w![\]]+)"/,
    (name) => `Expected a value of type "${name}".`,
  ],
  [/(?:^|; )Value ".*" does not exist in "(\w+)" enum/s, (name) => `This is not a value of "${name}".`],
  [/(?:^|; )Enum "(\w+)" cannot represent/, (name) => `This is not a value of "${name}".`],
  [/(?:^|; )(String|Int|Float|Boolean|ID) cannot represent/, (name) => `This is not a value of "${name}".`],
  // The texts of our own scalars quote nothing.
  [/(?:^|; )(A (?:DateTime|JSONObject) must be [^"]+)$/, (text) => text],
];

/** What is kept of either end of a long message: the library's own words stand there, values between. */
const KEPT_CHARACTERS = 400;

/** `message` without values of the caller's. Long ones are cut first, so that no pattern runs over what the caller sent. */
export function withoutValues(whole: string): string {
  const message =
    whole.length <= 2 * KEPT_CHARACTERS
      ? whole
      : `${whole.slice(0, KEPT_CHARACTERS)} ${whole.slice(-KEPT_CHARACTERS)}`;
  const reason = reasonOf(message);
  const variable = COERCION.exec(message)?.[1];
  if (variable !== undefined) {
    const place = PLACE.exec(message)?.[1] ?? variable;
    return `Variable "$${variable}" got an invalid value at "${place}".${reason === null ? '' : ` ${reason}`}`;
  }
  return (
    reason ??
    message
      .replace(/ (found|Unexpected) (Name|String|BlockString|Int|Float) ".*"/s, ' $1 $2')
      .replace(/^(Syntax Error: [^":]*): ".*$/s, '$1.')
  );
}

function reasonOf(message: string): string | null {
  for (const [pattern, tell] of REASONS) {
    const name = pattern.exec(message)?.[1];
    if (name !== undefined) return tell(name);
  }
  return null;
}
