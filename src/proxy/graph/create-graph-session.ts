/** Makes the session of one GraphQL operation; what a session promises stands in graph-session.ts. */
import { type Caller, restrictionFor } from '../../access/index.ts';
import { MAX_AUDIT_GROUP, type NewAuditEvent } from '../../audit/index.ts';
import { SealdeskError } from '../../base/index.ts';
import type { Tx } from '../../store/index.ts';
import type { TenantKeys } from '../../vault/index.ts';
import { createUsageMeter, type UsageMeter, type ZendeskUsage } from '../../zendesk/index.ts';
import { assertAuthenticated, type Call } from '../call.ts';
import { OPERATION_NAMES, type OperationName } from '../catalogue/catalogue.ts';
import type { Integration } from '../integrations.ts';
import { OPERATION_DEADLINE_MS } from '../operation-deadline.ts';
import { createGraphDirectory } from './graph-directory.ts';
import type { Delivery, GraphAccount, GraphDirectory, GraphSession } from './graph-session.ts';
import { IntegrationAccess } from './integration-access.ts';
import { ReadAllowance } from './read-allowance.ts';
import type { AnswerEnding, GraphSessionDeps, RecordedChange, SessionContext } from './session-context.ts';
import { Turns } from './turns.ts';
import { ZendeskAccount } from './zendesk-account.ts';

/** Changes of one operation. */
export const MAX_CHANGES = 64;
/** Integrations of one operation: as many as leave room for the events of all they may be used for. */
export const MAX_INTEGRATIONS = Math.floor((MAX_AUDIT_GROUP - 1 - MAX_CHANGES) / OPERATION_NAMES.length);
/** Comment lists that one operation asks Zendesk for at the same time. */
const COMMENT_LISTS_AT_ONCE = 4;

export interface GraphSessionOptions {
  /** The operation's own event, the parent of all others. */
  readonly eventId: string;
  readonly delivery: Delivery;
  /** When the operation began, milliseconds since 1970: its reads have 30 seconds from then. */
  readonly startedAt: number;
  /**
   * Counts one more operation of the catalogue against the caller's rate; the first of a session is
   * covered by the request itself. Throws TOO_MANY_REQUESTS.
   */
  readonly takeFromRate: () => void;
}

/** The session of one operation. It holds nothing that would have to be closed. */
export function createGraphSession(
  deps: GraphSessionDeps,
  call: Call,
  options: GraphSessionOptions,
): GraphSession {
  return new OperationSession(deps, call, options);
}

class OperationSession implements GraphSession {
  readonly delivery: Delivery;
  readonly #deps: GraphSessionDeps;
  readonly #call: Call;
  readonly #options: GraphSessionOptions;
  readonly #meter: UsageMeter = createUsageMeter();
  readonly #allowance = new ReadAllowance();
  readonly #commentTurns = new Turns(COMMENT_LISTS_AT_ONCE);
  readonly #accounts = new Map<
    string,
    { readonly access: IntegrationAccess; readonly account: ZendeskAccount }
  >();
  readonly #changes: RecordedChange[] = [];
  readonly #changedBy = new Set<string>();
  #operations = 0;

  constructor(deps: GraphSessionDeps, call: Call, options: GraphSessionOptions) {
    this.delivery = options.delivery;
    this.#deps = deps;
    this.#call = { ...call, parentEventId: options.eventId };
    this.#options = options;
  }

  async account(integrationId: string, operations: readonly OperationName[]): Promise<GraphAccount> {
    const { access, account } = this.#accountOf(integrationId);
    if (operations.length === 0) await access.assertReachable();
    for (const operation of operations) await access.admit(operation);
    return account;
  }

  async directory(integrationId: string): Promise<GraphDirectory> {
    const { access } = this.#accountOf(integrationId);
    await access.admitStored('sync_directory');
    return createGraphDirectory(this.#context(), access);
  }

  integration(integrationId: string): Promise<Integration | null> {
    return this.#accountOf(integrationId).access.integration();
  }

  async noteShown(tx: Tx): Promise<void> {
    for (const { account } of this.#accounts.values()) await account.noteShown(tx);
  }

  async assertStillAllowed(tx: Tx): Promise<void> {
    for (const { access } of this.#accounts.values()) await access.assertStillAllowed(tx);
  }

  usage(): ZendeskUsage {
    return this.#meter.read();
  }

  events(keys: TenantKeys, ending: AnswerEnding): readonly NewAuditEvent[] {
    const uses = [...this.#accounts.values()].flatMap(({ access }) => access.uses);
    return [
      ...uses.map((use) => use.toEvent(keys)),
      ...this.#changes.map((change) => change.toEvent(ending)),
    ].filter((event) => event !== null);
  }

  #accountOf(integrationId: string): {
    readonly access: IntegrationAccess;
    readonly account: ZendeskAccount;
  } {
    const present = this.#accounts.get(integrationId);
    if (present !== undefined) return present;
    if (this.#accounts.size >= MAX_INTEGRATIONS) {
      throw tooComplex(`An operation may use ${MAX_INTEGRATIONS} integrations.`);
    }
    const context = this.#context();
    const access = new IntegrationAccess(context, integrationId);
    const made = { access, account: new ZendeskAccount(context, access) };
    this.#accounts.set(integrationId, made);
    return made;
  }

  #context(): SessionContext {
    const call = this.#call;
    assertAuthenticated(call);
    return {
      deps: this.#deps,
      call,
      delivery: this.delivery,
      restricted: restrictedTo(call.caller, this.delivery),
      deadline: this.#options.startedAt + OPERATION_DEADLINE_MS,
      meter: this.#meter,
      allowance: this.#allowance,
      commentTurns: this.#commentTurns,
      countOperation: () => this.#countOperation(),
      registerChange: (change, kind) => this.#registerChange(change, kind),
    };
  }

  #countOperation(): void {
    if (this.#operations > 0) this.#options.takeFromRate();
    this.#operations += 1;
  }

  /** The first change of a kind was counted when it was admitted. */
  #registerChange(change: RecordedChange, kind: string): () => void {
    if (this.#changes.length >= MAX_CHANGES) {
      throw tooComplex(`An operation may make ${MAX_CHANGES} changes.`).with({ mutation: 'NOT_SENT' });
    }
    this.#changes.push(change);
    return () => {
      if (this.#changedBy.has(kind)) this.#countOperation();
      this.#changedBy.add(kind);
    };
  }
}

function restrictedTo(caller: Caller, delivery: Delivery): SessionContext['restricted'] {
  const recipient = delivery.kind === 'SEALED' ? delivery.recipient : null;
  const restriction = restrictionFor(caller, recipient);
  const lineageId = (recipient ?? caller.boundKey)?.lineageId;
  return restriction === null || lineageId === undefined ? null : { restriction, lineageId };
}

function tooComplex(message: string): SealdeskError {
  return new SealdeskError('QUERY_TOO_COMPLEX', `${message} Send several documents.`);
}
