/** Cron expressions of five fields in a time zone: checked, and when they are next due. */
import { CronExpressionParser } from 'cron-parser';
import { z } from 'zod';
import type { FieldIssue } from '../../base/index.ts';
import { invalidInput } from '../input.ts';

export interface Schedule {
  /** Minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** An IANA name, as it is written there. */
  readonly timeZone: string;
}

const MAX_CRON_CHARACTERS = 128;
/** Without `#`: the fifth Tuesday of a February may be decades away. */
const FIELD = /^[0-9A-Za-z*,/?-]+$/;
/** A place that the parser draws by lot: it would be another at each look. */
const DRAWN = /(^|,)H/i;
const NEVER = /loop limit|out of the time span|explicit day of month/i;
const FIELDS = 5;
/** Zendesk's export is at least a minute behind, and a run takes some calls of ten a minute. */
export const MIN_INTERVAL_MS = 15 * 60_000;
const DAY_MS = 86_400_000;
/** A time further away never comes, as 30 February does not; nothing looks further. */
const MAX_WAIT_MS = 5 * 366 * DAY_MS;

export const scheduleFields = {
  cron: z.string().max(MAX_CRON_CHARACTERS, `must be at most ${MAX_CRON_CHARACTERS} characters`),
  timeZone: z.string().max(64, 'must be at most 64 characters').default('UTC'),
};

/** The schedule in its one form. Throws VALIDATION_FAILED where it is none, never comes, or comes too often. */
export function parseSchedule(input: Schedule, now: number): Schedule {
  const timeZone = parseTimeZone(input.timeZone);
  const cron = input.cron.trim().split(/\s+/).join(' ');
  const schedule = { cron, timeZone };
  const fields = cron.split(' ');
  if (fields.length !== FIELDS || !fields.every((field) => FIELD.test(field) && !DRAWN.test(field))) {
    throw notCron();
  }
  if (nextTime(schedule, now) === null) {
    throw invalid({ path: 'cron', message: 'never comes: there is no such day' });
  }
  if (leastInterval(schedule, now) < MIN_INTERVAL_MS) {
    throw invalid({
      path: 'cron',
      message: `comes more often than every ${MIN_INTERVAL_MS / 60_000} minutes, which Zendesk’s export does not allow`,
    });
  }
  return schedule;
}

/** When `schedule` is due next after `now`, both in milliseconds since 1970. */
export function nextRunAfter(schedule: Schedule, now: number): Date {
  const time = nextTime(schedule, now);
  if (time === null) throw new TypeError('"schedule" must be one that comes');
  return new Date(time);
}

/** `null` where it never comes. */
function nextTime(schedule: Schedule, now: number): number | null {
  try {
    return parseExpression(schedule, now).next().getTime();
  } catch (error) {
    if (error instanceof Error && NEVER.test(error.message)) return null;
    throw notCron();
  }
}

/** Between two times of a day, or the last of one day and the first of the next, whatever the days are. */
function leastInterval(schedule: Schedule, now: number): number {
  const { hour, minute } = parseExpression(schedule, now).fields;
  const times = hour.values.flatMap((hours) =>
    minute.values.map((minutes) => (hours * 60 + minutes) * 60_000),
  );
  const [first = 0] = times;
  return Math.min(...times.map((time, index) => (times[index + 1] ?? first + DAY_MS) - time));
}

function parseExpression({ cron, timeZone }: Schedule, now: number) {
  const [currentDate, endDate] = [new Date(now), new Date(now + MAX_WAIT_MS)];
  return CronExpressionParser.parse(cron, { currentDate, endDate, tz: timeZone });
}

function parseTimeZone(name: string): string {
  try {
    // An offset is none: it knows no summer time.
    if (/^[A-Za-z]/.test(name))
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    // Told below.
  }
  throw invalid({ path: 'timeZone', message: 'is not a time zone, such as Europe/Berlin or UTC' });
}

function notCron() {
  return invalid({
    path: 'cron',
    message:
      'is not a cron expression of five fields: minute, hour, day of the month, month, day of the week, such as 30 2 * * *',
  });
}

function invalid(issue: FieldIssue) {
  return invalidInput([issue]);
}
