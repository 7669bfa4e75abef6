/**
 * Refused payloads in words that a form can show next to the field. No input value is repeated; a
 * field's name is, where it is a plain word.
 */
import type { z } from 'zod';
import { type FieldIssue, SealdeskError } from '../../base/index.ts';

const MAX_ISSUES = 20;
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** The payload as `schema` reads it. Throws VALIDATION_FAILED with one issue for each refused field. */
export function parsePayload<Payload>(schema: z.ZodType<Payload>, input: unknown): Payload {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.flatMap((issue) => issuesOf(issue, input)).slice(0, MAX_ISSUES);
  const names = [...new Set(fields.map((field) => field.path))].join(', ');
  throw new SealdeskError('VALIDATION_FAILED', `The payload cannot be accepted; see ${names}.`, { fields });
}

function issuesOf(issue: z.core.$ZodIssue, input: unknown): FieldIssue[] {
  const path = pathOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: pathOf([...issue.path, key]),
      message: 'is not a field of this operation',
    }));
  }
  return [{ path, message: isMissing(input, issue.path) ? 'is required' : messageOf(issue) }];
}

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'custom':
      return issue.message;
    case 'invalid_type':
      return `must be ${articleOf(issue.expected)}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return `must have at most ${issue.maximum} ${unitOf(issue.origin)}`.trim();
    case 'too_small':
      return `must have at least ${issue.minimum} ${unitOf(issue.origin)}`.trim();
    default:
      return 'has a value that cannot be accepted';
  }
}

function articleOf(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function unitOf(origin: string): string {
  return origin === 'array' ? 'elements' : origin === 'string' ? 'characters' : '';
}

function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'payload';
  return path
    .map((step) => (typeof step === 'number' || PLAIN_NAME.test(String(step)) ? String(step) : '(unnamed)'))
    .join('.');
}

function isMissing(input: unknown, path: readonly PropertyKey[]): boolean {
  let value = input;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return false;
    value = Object.getOwnPropertyDescriptor(value, step)?.value;
  }
  return path.length > 0 && value === undefined;
}
