/** Reading untrusted inputs of use cases: zod in, VALIDATION_FAILED with one entry a field out. */
import { z } from 'zod';
import { type FieldIssue, type IdKind, isId, SealdeskError } from '../base/index.ts';

export const MAX_NAME_CHARACTERS = 100;
export const MAX_OPERATIONS = 64;
const MAX_NAMED_MEMBERS = 5;
const MEMBER_NAME = /^[a-z_][a-zA-Z_]{0,31}$/;
const ISO_TIME = z.iso.datetime({ offset: true });

/** The checked value of `input`. Messages name fields and rules, never what was sent. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalidInput(
    parsed.error.issues.map((issue) => ({ path: pathOf(issue), message: messageOf(issue) })),
  );
}

/** VALIDATION_FAILED for `fields`. */
export function invalidInput(fields: readonly FieldIssue[]): SealdeskError {
  const named = fields.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new SealdeskError('VALIDATION_FAILED', `The input was not accepted. ${named}`, { fields });
}

/** A member that does not belong is named only where it looks like a name: it may be a value in the wrong place. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message;
  const names = issue.keys.filter((key) => MEMBER_NAME.test(key)).slice(0, MAX_NAMED_MEMBERS);
  return `unknown members${names.length === 0 ? '' : `: ${names.join(', ')}`}`;
}

function pathOf(issue: z.core.$ZodIssue): string {
  return issue.path.map(String).join('.');
}

/** A field that holds an id of `kind`. */
export function idField(kind: IdKind): z.ZodType<string> {
  return z.string().refine((text) => isId(kind, text), 'is not an id of this kind');
}

const END_OF_TIME = Date.UTC(9999, 0);

/** A name that people read: 1 to 100 characters on one line. */
export const nameField = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(MAX_NAME_CHARACTERS, `must be at most ${MAX_NAME_CHARACTERS} characters`)
  .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'must not contain control characters');

/** A time in the future, as a Date or as ISO 8601 with its offset; `now` in milliseconds since 1970. */
export function futureField(now: number): z.ZodType<Date> {
  return z
    .preprocess(
      (value) => (ISO_TIME.safeParse(value).success ? new Date(String(value)) : value),
      z.date('must be a time as ISO 8601 with its offset'),
    )
    .refine((date) => date.getTime() > now, 'must be in the future')
    .refine((date) => date.getTime() < END_OF_TIME, 'must be before the year 9999');
}

/** What an event was done to, compared only: an id, an object such as `ticket:5`, a keyed hash of a query. */
export const resourceField = z.string().regex(/^[A-Za-z0-9:._-]{1,128}$/, 'is not a resource');

/** The name of something, compared only: an id, an action, an operation. */
export const tokenField = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'is not a name of this kind');

/** The ARN of an AWS KMS key, or of an alias of one. */
export const kmsKeyArnField = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(?:key|alias)\/[A-Za-z0-9/_-]{1,256}$/,
    'must be the ARN of an AWS KMS key',
  );
