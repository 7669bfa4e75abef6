/**
 * The library's complaints about documents and variables quote the values at fault, which may be
 * secrets. What is told of a value is put anew from names that the schema has; of all else the quoted
 * tokens of a syntax error are taken out.
 */
import { type GraphQLSchema, isEnumType, isInputObjectType } from 'graphql';
import { isAnsweredOnly } from '../../service/index.ts';

/** What may be told: the names of `schema`, and to whom it `suggests` what can stand in place of the wrong. */
export interface Telling {
  readonly schema: GraphQLSchema;
  readonly suggests: boolean;
}

/** What is wrong with a value, said of its place; `member` is what is missing there, and so at fault itself. */
export interface InputIssue {
  readonly member: string | null;
  readonly message: string;
}

type Tell = (name: string, telling: Telling, text: string) => string;

/** What is told anew, by the name of the schema in it. Texts of the library speak of a value from their first word on. */
const REASONS: readonly (readonly [RegExp, Tell])[] = [
  [/^Expected value of type "(\w+)" not to include unknown field "/, unknownMember],
  [/^Expected a value of (non-null) type /, () => 'is missing'],
  [/^Expected value of (non-null) type "[\w![\]]+" not to be null/, () => 'must not be null'],
  [/^Expected value of type "(\w+)" to be an object/, () => 'must be an object'],
  [/^Expected value of type "(\w+)"/, (name, { schema }) => ofType(name, schema)],
  [/^Value ".*" does not exist in "(\w+)" enum/s, oneOf],
  [/^Enum "(\w+)" cannot represent/, oneOf],
  [/^(String|Int|Float|Boolean|ID) cannot represent/, (name, { schema }) => ofType(name, schema)],
  // The texts of our own scalars quote nothing.
  [/^A (?:DateTime|JSONObject|Cursor) (must be [^"]+)\.$/, (text) => text],
];

const MISSING_MEMBER = /^Expected value of type "(\w+)" to include required field "(\w+)"/;
const MISSING_ARGUMENT =
  /^Argument "\w+\.\w+\((\w+):\)" of type "[\w![\]]+" is required, but it was not provided/;
const SUGGESTION = /". (Did you mean [^?]+\?) Found: /;
const MAX_NAMES = 20;

/** What is kept of either end of a long message: the library's own words stand there, values between. */
const KEPT_CHARACTERS = 400;

/** What `whole`, a complaint of the library's, says of a value; `null` where it speaks of something else. */
export function inputIssueOf(whole: string, telling: Telling): InputIssue | null {
  const text = cut(whole);
  const [, type = '', member] = MISSING_MEMBER.exec(text) ?? [];
  if (member !== undefined && memberNames(type, telling.schema).includes(member)) {
    return { member, message: 'is missing' };
  }
  const argument = MISSING_ARGUMENT.exec(text)?.[1];
  if (argument !== undefined) return { member: argument, message: 'is missing' };
  for (const [pattern, tell] of REASONS) {
    const name = pattern.exec(text)?.[1];
    if (name !== undefined) return { member: null, message: tell(name, telling, text) };
  }
  return null;
}

/** A complaint about the document without values of the caller's. */
export function withoutValues(whole: string): string {
  const text = cut(whole);
  // Variables are looked at before the library does; what it finds beyond that is told without its reason.
  const variable = /^Variable "\$(\w+)" got invalid value /.exec(text)?.[1];
  if (variable !== undefined) return `Variable "$${variable}" got an invalid value.`;
  return text
    .replace(/ (found|Unexpected) (Name|String|BlockString|Int|Float) ".*"/s, ' $1 $2')
    .replace(/^(Syntax Error: [^":]*): ".*$/s, '$1.');
}

/** Long ones are cut first, so that no pattern runs over what the caller sent. */
function cut(whole: string): string {
  return whole.length <= 2 * KEPT_CHARACTERS
    ? whole
    : `${whole.slice(0, KEPT_CHARACTERS)} ${whole.slice(-KEPT_CHARACTERS)}`;
}

/** The wrong name is not repeated: in variables it may be a value in the wrong place. */
function unknownMember(type: string, { schema, suggests }: Telling, text: string): string {
  const fields = memberNames(type, schema);
  const suggested = suggests ? (SUGGESTION.exec(text)?.[1] ?? '') : '';
  const names = [...suggested.matchAll(/"(\w+)"/g)].flatMap(([, name = '']) =>
    fields.includes(name) ? [name] : [],
  );
  const known = fields.length === 0 ? 'its type' : type;
  return `has a field that ${known} does not have${names.length === 0 ? '' : `; did you mean ${names.join(' or ')}?`}`;
}

function oneOf(name: string, { schema, suggests }: Telling): string {
  const type = schema.getType(name);
  if (!isEnumType(type)) return 'must be a value of its type';
  if (!suggests) return `must be a value of ${name}`;
  const names = type.getValues().flatMap((value) => (isAnsweredOnly(value) ? [] : [value.name]));
  const more = names.length > MAX_NAMES ? `, or another value of ${name}` : '';
  return `must be one of ${names.slice(0, MAX_NAMES).join(', ')}${more}`;
}

function ofType(name: string, schema: GraphQLSchema): string {
  return `must be a value of type ${schema.getType(name)?.name ?? 'that was asked for'}`;
}

function memberNames(name: string, schema: GraphQLSchema): readonly string[] {
  const type = schema.getType(name);
  return isInputObjectType(type) ? Object.keys(type.getFields()) : [];
}
