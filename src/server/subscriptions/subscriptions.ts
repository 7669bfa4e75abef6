/**
 * Subscriptions as every transport carries them: one document in, execution results out, one after the other.
 * Documents are held to the same limits as those of `POST /graphql`, and failures are coded and masked alike;
 * beyond that a field may be asked for once, and an API key ask by few different documents: what is made of an
 * event is kept for all. Limits on depth, breadth and cost are the schema's, met by the first event, which always
 * comes. What is refused is recorded as the dispatcher does. Queries and mutations are not answered here.
 */
import {
  createSourceEventStream,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  OperationTypeNode,
  parse,
  specifiedRules,
  type ValidatedSubscriptionArgs,
  validate,
  validateSubscriptionArgs,
} from 'graphql';
import { type Log, SealdeskError } from '../../base/index.ts';
import type { Services, TicketSession, TicketSubscription } from '../../service/index.ts';
import { ensureCoded, maskGraphqlError, publicGraphqlError } from '../graphql/mask-error.ts';
import { type GraphqlRequest, MAX_DOCUMENT_TOKENS, MAX_VALIDATION_ERRORS } from '../graphql/request.ts';
import { variableError } from '../graphql/variable-error.ts';
import { askedOnce } from './asked-once.ts';
import { EventPlan, selectionVariables, variablesKey } from './event-plan.ts';
import { KeptTexts } from './kept-texts.ts';
import { KeptWhileUsed } from './kept-while-used.ts';
import { PlanPlaces } from './plan-places.ts';
import { Subscription } from './subscription.ts';
import { SubscriptionError } from './subscription-error.ts';

/** Most characters of the document of a subscription, which is held as long as this lives. */
export const MAX_SUBSCRIPTION_CHARACTERS = 8_192;
const RULES = Object.freeze([...specifiedRules, askedOnce]);

export interface Subscriptions {
  /**
   * Subscribes in the name of the session. Rejects with {@link SubscriptionError}, and nothing was sent then.
   * The session stays the caller's to dispose.
   */
  start(session: TicketSession, request: GraphqlRequest): Promise<Subscription>;
  /** What is told of `error`, recorded, where a subscription was refused before it was started. */
  refuse(session: TicketSession, error: unknown): Promise<SubscriptionError>;
}

export interface CreateSubscriptionsOptions {
  readonly schema: GraphQLSchema;
  readonly services: Pick<Services, 'recordFailure' | 'publicUrl'>;
  readonly log: Log;
}

/** A valid document, and the plans for the variables that its selection was asked for with. */
interface ReadDocument {
  readonly document: DocumentNode;
  readonly variables: readonly string[];
  readonly plans: KeptWhileUsed<EventPlan>;
}

/** Subscriptions over `schema`, whose root fields find `openTicketChanges`, `openAuditTail` and `openSyncProgress` in their context. */
export function createSubscriptions({ schema, services, log }: CreateSubscriptionsOptions): Subscriptions {
  // Whoever subscribes has a key.
  const telling = { schema, suggests: true };
  const rootFields = new Set(Object.keys(schema.getSubscriptionType()?.getFields() ?? {}));
  const documents = new KeptWhileUsed<ReadDocument>();
  const places = new PlanPlaces();
  const texts = new KeptTexts();

  function maskAll(errors: readonly unknown[], document: DocumentNode | null): SubscriptionError {
    const [first, ...others] = errors.map((error) =>
      ensureCoded(maskGraphqlError(error, log, services.publicUrl), document, telling),
    );
    if (first === undefined) throw new TypeError('"errors" must not be empty');
    return new SubscriptionError([first, ...others]);
  }

  function read({ query, operationName }: GraphqlRequest): ReadDocument {
    if (query.length > MAX_SUBSCRIPTION_CHARACTERS) throw tooLong();
    const document = parse(query, { maxTokens: MAX_DOCUMENT_TOKENS });
    const wrong = validate(schema, document, RULES, { maxErrors: MAX_VALIDATION_ERRORS });
    if (wrong.length > 0) throw maskAll(wrong, document);
    const operation = getOperationAST(document, operationName);
    if (operation == null) throw noOperation();
    if (operation.operation !== OperationTypeNode.SUBSCRIPTION) throw notSubscribed();
    return {
      document,
      variables: selectionVariables(document, rootFields),
      plans: new KeptWhileUsed<EventPlan>(),
    };
  }

  function validated(
    { document }: ReadDocument,
    { operationName, variables }: GraphqlRequest,
    contextValue: object,
  ): ValidatedSubscriptionArgs {
    const wrong = variableError(document, operationName, variables, telling);
    if (wrong !== null) throw maskAll([wrong], document);
    const args = validateSubscriptionArgs({
      ...{ schema, document, operationName, contextValue },
      variableValues: variables,
    });
    if ('schema' in args) return args;
    throw maskAll(args, document);
  }

  async function begin(session: TicketSession, request: GraphqlRequest): Promise<Subscription> {
    const { query, operationName } = request;
    const source = documents.get(JSON.stringify([operationName, query]), () => read(request));
    const ending = new AbortController();
    const args = validated(source, request, {
      call: session.call,
      services,
      openTicketChanges: (subscription: TicketSubscription) => session.subscribe(subscription, ending.signal),
      openAuditTail: (after: string | null) => session.followAudit(after, ending.signal),
      openSyncProgress: (runId: string) => session.followSync(runId, ending.signal),
    });
    const plan = source.plans.get(variablesKey(source.variables, args), () => {
      const { document } = source;
      return new EventPlan(args, texts, (errors) => maskAll(errors, document));
    });
    ending.signal.addEventListener('abort', places.take(session.call.caller.id, plan), { once: true });
    try {
      const opened = await createSourceEventStream(args);
      if (!(Symbol.asyncIterator in opened)) throw maskAll(opened.errors ?? [], source.document);
      const events = opened[Symbol.asyncIterator]() as AsyncIterator<object>;
      return new Subscription(plan, events, ending, (error) => tell(session, error));
    } catch (error) {
      ending.abort();
      throw error;
    }
  }

  /** What is told of `error`, once it is recorded. */
  async function tell({ call }: TicketSession, error: unknown): Promise<SubscriptionError> {
    const told = error instanceof SubscriptionError ? error : maskAll([error], null);
    if (told.auditEventId !== null) return told;
    const recorded = await services.recordFailure(call, told.failure);
    const { auditEventId } = recorded.details;
    // What could not be recorded is told instead of what could not be done.
    return recorded.code === told.failure.code
      ? new SubscriptionError(told.errors, auditEventId ?? null)
      : new SubscriptionError([publicGraphqlError(recorded)]);
  }

  return Object.freeze({
    async start(session: TicketSession, request: GraphqlRequest) {
      try {
        return await begin(session, request);
      } catch (error) {
        throw await tell(session, error);
      }
    },
    refuse: tell,
  });
}

function tooLong(): SealdeskError {
  return new SealdeskError(
    'QUERY_TOO_COMPLEX',
    `The document of a subscription may have ${MAX_SUBSCRIPTION_CHARACTERS} characters. Ask for less at once.`,
    { subject: 'characters' },
  );
}

function noOperation(): GraphQLError {
  return new GraphQLError('The document has no operation of this name, or several and none was named.');
}

function notSubscribed(): SealdeskError {
  return new SealdeskError(
    'VALIDATION_FAILED',
    'Only subscriptions are answered here. Send queries and mutations by POST /graphql, and for one result.',
  );
}
