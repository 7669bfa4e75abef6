/**
 * Field types that the operations share. Limits are Zendesk's own where it has one that it would
 * break silently (a comment over 64 KiB is cut without an error), else ours and named here.
 */
import { z } from 'zod';
import { encodeUtf8 } from '../../base/index.ts';

export const MAX_SUBJECT_LENGTH = 1_000;
/** Bytes of UTF-8; Zendesk cuts longer comments without saying so. */
export const MAX_COMMENT_BYTES = 65_535;
export const MAX_TAGS = 200;
export const MAX_TAG_LENGTH = 255;
export const MAX_CUSTOM_FIELDS = 500;
export const MAX_QUERY_LENGTH = 2_000;
const MAX_CURSOR_LENGTH = 2_048;
/**
 * Characters of what goes into the address of a call, percent-encoded as it is sent there: the fields
 * of one call together stay below the longest address that is sent, 8 192 characters.
 */
export const MAX_ENCODED_QUERY_LENGTH = 7_000;
export const MAX_ENCODED_CURSOR_LENGTH = 5_000;

export const STATUSES = ['new', 'open', 'pending', 'hold', 'solved', 'closed'] as const;
export const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const;
export const TYPES = ['problem', 'incident', 'question', 'task'] as const;

const DIGITS = /^[1-9]\d{0,15}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
const EMAIL = /^[^\s@\p{Cc}]{1,64}@[^\s@\p{Cc}]{1,189}$/u;
/** C0 and C1 controls but tab and line ends. */
const CONTROL = /[^\P{Cc}\t\n\r]/u;

/** A Zendesk id: a positive whole number, or its decimal text as GraphQL sends it. */
export const zendeskId = z
  .custom<number | string>(
    (value) =>
      Number.isSafeInteger(typeof value === 'string' && DIGITS.test(value) ? Number(value) : value) &&
      Number(value) > 0,
    'must be a Zendesk id: a positive whole number',
  )
  .transform(Number);

export const subject = text(MAX_SUBJECT_LENGTH);

export const tags = z
  .array(
    z.custom<string>(
      (value) =>
        typeof value === 'string' &&
        value.length <= MAX_TAG_LENGTH &&
        value.isWellFormed() &&
        /^[^\s,\p{Cc}]+$/u.test(value),
      `must be a tag: 1 to ${MAX_TAG_LENGTH} characters without spaces or commas`,
    ),
  )
  .max(MAX_TAGS);

type CustomValue = string | number | boolean | null | readonly string[];

const customText = text(MAX_COMMENT_BYTES, 0);
const customChoices = z.array(text(MAX_TAG_LENGTH)).max(MAX_TAGS);
const customValue = z.custom<CustomValue>(
  (value) =>
    value === null ||
    typeof value === 'boolean' ||
    Number.isFinite(value) ||
    customText.safeParse(value).success ||
    customChoices.safeParse(value).success,
  'must be text, a number, true, false, null or a list of texts',
);

export const customFields = z
  .array(z.strictObject({ id: zendeskId, value: customValue }))
  .max(MAX_CUSTOM_FIELDS);

export const email = z.custom<string>(
  (value) => typeof value === 'string' && value.isWellFormed() && EMAIL.test(value),
  'must be an e-mail address',
);

/** A calendar date or a time with an offset (RFC 3339); a time is brought to UTC and whole seconds. */
export const dateOrTime = z
  .custom<string>(
    (value) => typeof value === 'string' && isCalendarTime(value),
    'must be a date such as 2026-01-31 or a time such as 2026-01-31T08:00:00Z',
  )
  .transform((value) => (DATE.test(value) ? value : new Date(value).toISOString().replace(/\.\d{3}Z$/, 'Z')));

const commentText = z.custom<string>(
  (value) =>
    typeof value === 'string' &&
    value.trim() !== '' &&
    value.length <= MAX_COMMENT_BYTES &&
    value.isWellFormed() &&
    encodeUtf8(value).length <= MAX_COMMENT_BYTES &&
    !CONTROL.test(value),
  `must be text of 1 to ${MAX_COMMENT_BYTES} bytes in well-formed Unicode`,
);

/** `public` has no default: what Zendesk would assume may mail the customer. */
export const comment = z
  .strictObject({
    body: commentText.optional(),
    html_body: commentText.optional(),
    public: z.boolean(),
    author_id: zendeskId.optional(),
    uploads: z.array(text(MAX_TAG_LENGTH)).max(50).optional(),
  })
  .superRefine((value, context) => {
    if ((value.body === undefined) === (value.html_body === undefined)) {
      context.addIssue({ code: 'custom', path: [], message: 'must have either body or html_body' });
    }
  });

export const perPage = whole(1, 100).optional().describe('Records on a page, 1 to 100; default 100.');
export const page = whole(1, 10_000).optional().describe('Page number, from 1.');
export const sortOrder = z.enum(['asc', 'desc']).optional().describe('asc or desc.');
const cursorText = text(MAX_CURSOR_LENGTH);
export const pageCursor = z
  .custom<string | null>(
    (value) =>
      value === null ||
      (cursorText.safeParse(value).success && encodedLength(value) <= MAX_ENCODED_CURSOR_LENGTH),
    'must be null or the next_cursor of the page before',
  )
  .optional()
  .describe('null begins a walk without the cap of page numbers; then next_cursor of the page before.');

export const query = text(MAX_QUERY_LENGTH).refine(
  (value) => encodedLength(value) <= MAX_ENCODED_QUERY_LENGTH,
  {
    message: `must be of at most ${MAX_ENCODED_QUERY_LENGTH} characters when percent-encoded, in which letters outside ASCII take 6 and more`,
  },
);

/** Of text that is well-formed; of anything else no length will do. */
function encodedLength(value: unknown): number {
  return typeof value === 'string' && value.isWellFormed()
    ? encodeURIComponent(value).length
    : Number.POSITIVE_INFINITY;
}

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): z.ZodType<number> {
  return z.custom<number>(
    (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
    `must be a whole number from ${min} to ${max}`,
  );
}

/** One of `values`, or a list of them without repetition; read as a list. */
export function oneOrMore<Value extends string>(values: readonly Value[]) {
  const known = new Set<unknown>(values);
  return z
    .custom<Value | readonly Value[]>(
      (value) => {
        const list: readonly unknown[] = Array.isArray(value) ? value : [value];
        return list.length > 0 && new Set(list).size === list.length && list.every((one) => known.has(one));
      },
      `must be one of ${values.join(', ')}, or a list of them`,
    )
    .transform((value): readonly Value[] => (typeof value === 'string' ? [value] : value));
}

/** Well-formed text of `min` to `max` characters without control characters other than tab and line ends. */
export function text(max: number, min = 1): z.ZodType<string> {
  return z.custom<string>(
    (value) =>
      typeof value === 'string' &&
      value.length <= max &&
      value.trim().length >= min &&
      value.isWellFormed() &&
      !CONTROL.test(value),
    `must be text of ${min} to ${max} characters in well-formed Unicode`,
  );
}

/** Whether every part is in range: `Date.parse` alone takes 2026-02-30 for 2 March. */
function isCalendarTime(value: string): boolean {
  if (!DATE.test(value) && !DATE_TIME.test(value)) return false;
  const day = value.slice(0, 10);
  const midnight = new Date(`${day}T00:00:00Z`);
  return (
    !Number.isNaN(Date.parse(value)) &&
    !Number.isNaN(midnight.getTime()) &&
    midnight.toISOString().startsWith(day)
  );
}
