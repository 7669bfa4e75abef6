/**
 * Global ids of what belongs to Zendesk: `{integrationId}:{ticket|user|organization}:{zendeskId}`, of a
 * comment `{integrationId}:comment:{ticketId}.{commentId}`, since Zendesk finds no comment by its own id.
 * One text for each object: what is read is written again the same.
 */
import { isId } from '../../base/index.ts';

/** The kinds of objects that one Zendesk id names. */
export type NumberedKind = 'ticket' | 'user' | 'organization';

export type ZendeskObjectId =
  | { readonly kind: NumberedKind; readonly integrationId: string; readonly zendeskId: number }
  | {
      readonly kind: 'comment';
      readonly integrationId: string;
      readonly ticketId: number;
      readonly zendeskId: number;
    };

/** An integration's id has 30 characters, a kind at most 12, a number at most 16. */
const MAX_CHARACTERS = 96;
const NUMBERED_KINDS: readonly NumberedKind[] = ['ticket', 'user', 'organization'];
const DIGITS = /^[1-9]\d{0,15}$/;

export function encodeObjectId(id: ZendeskObjectId): string {
  const number = id.kind === 'comment' ? `${id.ticketId}.${id.zendeskId}` : String(id.zendeskId);
  return `${id.integrationId}:${id.kind}:${number}`;
}

/** The object that `text` names, `null` where it is no such id. */
export function parseObjectId(text: string): ZendeskObjectId | null {
  if (text.length > MAX_CHARACTERS) return null;
  const [integrationId, kind, number, ...rest] = text.split(':');
  if (rest.length > 0 || number === undefined || !isId('integration', integrationId)) return null;
  if (kind === 'comment') {
    const [ticket = '', comment = '', ...more] = number.split('.');
    const ticketId = parseZendeskId(ticket);
    const zendeskId = parseZendeskId(comment);
    if (more.length > 0 || ticketId === null || zendeskId === null) return null;
    return { kind, integrationId, ticketId, zendeskId };
  }
  const numbered = NUMBERED_KINDS.find((one) => one === kind);
  const zendeskId = parseZendeskId(number);
  return numbered === undefined || zendeskId === null ? null : { kind: numbered, integrationId, zendeskId };
}

/** The id as Zendesk writes it, `null` where `text` is none. */
export function parseZendeskId(text: string): number | null {
  return DIGITS.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}
