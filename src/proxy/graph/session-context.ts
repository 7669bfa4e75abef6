import type { Restriction } from '../../access/index.ts';
import type { NewAuditEvent } from '../../audit/index.ts';
import type { Clock, Log } from '../../base/index.ts';
import type { Store } from '../../store/index.ts';
import type { Keyring } from '../../vault/index.ts';
import type { UsageMeter } from '../../zendesk/index.ts';
import type { AuthenticatedCall } from '../call.ts';
import type { ZendeskConnections } from '../connections.ts';
import type { Delivery } from './graph-session.ts';
import type { ReadAllowance } from './read-allowance.ts';
import type { SharedReads } from './shared-reads.ts';
import type { Turns } from './turns.ts';

/** What the sessions of all operations stand on. */
export interface GraphSessionDeps {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly connections: ZendeskConnections;
  readonly sharedReads: SharedReads;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whether the answer leaves. */
export interface AnswerEnding {
  readonly answered: boolean;
}

/** A change as the log needs it: with the event that ends it, `null` where it writes that by itself. */
export interface RecordedChange {
  toEvent(ending: AnswerEnding): NewAuditEvent | null;
}

/** What the parts of one session share. */
export interface SessionContext {
  readonly deps: GraphSessionDeps;
  /** Its parent is the operation's event. */
  readonly call: AuthenticatedCall;
  readonly delivery: Delivery;
  /** What the answer is restricted to, and whose it is; `null` where it is not. */
  readonly restricted: { readonly restriction: Restriction; readonly lineageId: string } | null;
  /** Of all reads, milliseconds since 1970. */
  readonly deadline: number;
  readonly meter: UsageMeter;
  /** What all reads of the session take together. */
  readonly allowance: ReadAllowance;
  /** Counts one more operation of the catalogue. Throws TOO_MANY_REQUESTS. */
  readonly countOperation: () => void;
  /** Only so many lists of comments are asked for at a time. */
  readonly commentTurns: Turns;
  /**
   * Takes down a change of one kind (operation and integration) for the log. What it returns counts
   * the change against the caller's rate. Throws QUERY_TOO_COMPLEX where there are too many.
   */
  readonly registerChange: (change: RecordedChange, kind: string) => () => void;
}
