/**
 * Events before they have a place in the log: checked, and as canonical JSON but for their index, which
 * is known only when they are written. So the costly part is done when an event arrives, not while others
 * wait for the log.
 */
import { isId } from '../base/index.ts';
import { type AuditEvent, leafTextOf, type NewAuditEvent } from './audit-event.ts';

/** At most this many events are appended by one call. */
export const MAX_AUDIT_GROUP = 256;

export interface ReadyEvent {
  readonly event: NewAuditEvent;
  /** The canonical JSON up to the index, and from there on. */
  readonly before: string;
  readonly after: string;
}

const PLACE = '"index":0,';
const MEMBER_LENGTH = PLACE.length - '0,'.length;

/** Throws TypeError for an event that the log does not take. */
function makeReady(tenantId: string, event: NewAuditEvent): ReadyEvent {
  // What its row repeats is kept as it was judged, whatever becomes of the caller's object.
  const own = { ...event, actor: { ...event.actor } } as NewAuditEvent;
  const text = leafTextOf(own, tenantId, 0);
  // No value of an event holds a quotation mark, so that the text has the member once, and others after it.
  const at = text.indexOf(PLACE);
  return {
    event: own,
    before: text.slice(0, at + MEMBER_LENGTH),
    after: text.slice(at + PLACE.length - 1),
  };
}

/** Throws RangeError for no events and too many, TypeError for what is no tenant and for an event that the log does not take. */
export function makeGroupReady(tenantId: string, events: readonly NewAuditEvent[]): readonly ReadyEvent[] {
  assertTenantId(tenantId);
  if (events.length < 1 || events.length > MAX_AUDIT_GROUP) {
    throw new RangeError(`"events" must hold 1 to ${MAX_AUDIT_GROUP} events, got ${events.length}`);
  }
  return events.map((event) => makeReady(tenantId, event));
}

export function assertTenantId(tenantId: string): void {
  if (!isId('tenant', tenantId)) throw new TypeError('"tenantId" must be a tenant id');
}

/** The leaves of the events from `index` on: the same bytes as `encodeLeaf` gives, one after the other in one buffer. */
export function leavesOf(ready: readonly ReadyEvent[], index: number): readonly Uint8Array[] {
  const texts = ready.map(({ before, after }, offset) => before + (index + offset) + after);
  const bytes = Buffer.from(texts.join(''), 'utf8');
  let end = 0;
  const leaves = texts.map((text) => {
    end += text.length;
    return bytes.subarray(end - text.length, end);
  });
  // The members are of ASCII alphabets: as many bytes as characters.
  if (end !== bytes.length) throw new TypeError('"ready" holds an event with characters beyond ASCII');
  return leaves;
}

export function placedAt({ event }: ReadyEvent, tenantId: string, index: number): AuditEvent {
  return { ...event, tenantId, index };
}
