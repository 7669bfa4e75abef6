/** Reading untrusted inputs of use cases: zod in, VALIDATION_FAILED with one entry a field out. */
import { z } from 'zod';
import { type FieldIssue, type IdKind, isId, SealdeskError } from '../base/index.ts';

export const MAX_NAME_CHARACTERS = 120;
export const MAX_OPERATIONS = 64;

/** The checked value of `input`. Messages name fields and rules, never what was sent. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalidInput(parsed.error.issues.map((issue) => ({ path: pathOf(issue), message: issue.message })));
}

/** VALIDATION_FAILED for `fields`. */
export function invalidInput(fields: readonly FieldIssue[]): SealdeskError {
  const named = fields.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new SealdeskError('VALIDATION_FAILED', `The input was not accepted. ${named}`, { fields });
}

function pathOf(issue: z.core.$ZodIssue): string {
  return issue.path.map(String).join('.');
}

/** A field that holds an id of `kind`. */
export function idField(kind: IdKind): z.ZodType<string> {
  return z.string().refine((text) => isId(kind, text), 'is not an id of this kind');
}

/** A name that people read: 1 to 120 characters on one line. */
export const nameField = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(MAX_NAME_CHARACTERS, `must be at most ${MAX_NAME_CHARACTERS} characters`)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must not contain control characters');

/** A time in the future as ISO 8601; `now` in milliseconds since 1970. */
export function futureField(now: number): z.ZodType<Date> {
  return z.coerce.date<Date>().refine((date) => date.getTime() > now, 'must be in the future');
}
