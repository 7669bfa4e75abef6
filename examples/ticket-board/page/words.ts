/** How values are written for people. */
import type { TicketPriority, TicketStatus } from '../documents.generated.ts';

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const SHORT_DATE = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
});
const NUMBER = new Intl.NumberFormat();
const MILLISECONDS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, minimumFractionDigits: 1 });

export const nameOf = (one: { readonly name: string | null } | null): string => one?.name ?? '–';
export const titleOf = ({ subject }: { readonly subject: string | null }): string =>
  subject === null || subject === '' ? '(no subject)' : subject;
export const wordOf = (value: TicketStatus | TicketPriority | null): string =>
  value === null ? '–' : value.charAt(0) + value.slice(1).toLowerCase();
export const timeOf = (text: string | null): string => (text === null ? '–' : DATE.format(new Date(text)));
export const shortTimeOf = (text: string | null): string =>
  text === null ? '–' : SHORT_DATE.format(new Date(text));
export const countOf = (count: number): string => NUMBER.format(count);
export const millisecondsOf = (value: number): string => MILLISECONDS.format(value);
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
