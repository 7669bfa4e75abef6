/**
 * `POST /graphql`: one document in, one execution result out, sealed where the caller asks for that. A
 * subscription is answered as a stream of results, where the caller takes one, and goes another way.
 * Limits on tokens come before parsing; what a document would show of Zendesk is judged, and its depth,
 * breadth and cost limited, before execution. Every operation, refused ones too, is recorded as one audit
 * event before the first byte of its answer leaves; if that fails there is no answer.
 */
import {
  type ASTVisitor,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getNamedType,
  isIntrospectionType,
  parse,
  type ValidationContext,
} from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import { createId, encodeUtf8, isSealdeskError, type Log, SealdeskError } from '../../base/index.ts';
import type { Call, DocumentCost, GraphOperation, GraphSession, Services } from '../../service/index.ts';
import { type Answer, jsonAnswer } from '../answer.ts';
import { type Incoming, SEALED_MEDIA_TYPE } from '../incoming.ts';
import { answerEventStream, type EventStreamDeps } from '../subscriptions/event-stream.ts';
import { createSubscriptions, type Subscriptions } from '../subscriptions/subscriptions.ts';
import { createEdgeTally, type EdgeTally } from '../tally.ts';
import { documentCost } from './document-cost.ts';
import {
  type ExecutionResult,
  encodeResult,
  keyExtensions,
  statusOf,
  usageExtensions,
  withChange,
  withRefusals,
  withUpstream,
} from './execution-result.ts';
import { ensureCoded, maskGraphqlError, publicGraphqlError, unencodable } from './mask-error.ts';
import { acceptsEventStream, EVENT_STREAM, graphqlMediaType } from './media-type.ts';
import {
  createOperationRecord,
  noteDocument,
  noteFailure,
  type OperationRecord,
} from './operation-record.ts';
import { selectsProtected } from './protected-selection.ts';
import {
  asksSubscription,
  MAX_DOCUMENT_TOKENS,
  MAX_VALIDATION_ERRORS,
  parseGraphqlRequest,
} from './request.ts';
import { variableError } from './variable-error.ts';

export type GraphqlRoute = (call: Call, incoming: Incoming) => Promise<Answer>;

/** What resolvers find in their context, and what is the route's own. */
interface RequestContext {
  readonly call: Call;
  readonly services: Services;
  readonly record: OperationRecord;
  readonly opening: Promise<GraphOperation>;
  /** Set where the document may be executed. */
  readonly session?: GraphSession;
  readonly refused: Map<string, SealdeskError>;
  /** Where what was read and the result are put; the library hands on copies of this context. */
  readonly executed: {
    document: DocumentNode | null;
    cost: DocumentCost | null;
    result: ExecutionResult | null;
  };
}

export interface CreateGraphqlRouteOptions {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly log: Log;
  /** Shared with other transports; of its own where left out. */
  readonly subscriptions?: Subscriptions;
  readonly tally?: EdgeTally;
}

/** The route over `schema`, whose resolvers get `{ call, services, session, refused }` as context. */
export function createGraphqlRoute(options: CreateGraphqlRouteOptions): GraphqlRoute {
  const { schema, services, log } = options;
  const eventStream: EventStreamDeps = {
    services,
    subscriptions: options.subscriptions ?? createSubscriptions(options),
    tally: (options.tally ?? createEdgeTally()).streams.sse,
  };
  const yoga = createYoga<RequestContext>({
    schema,
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    // It would keep a thousand documents of any caller's for an hour.
    parserAndValidationCache: false,
    batching: false,
    multipart: false,
    cors: false,
    logging: false,
    maskedErrors: { maskError: (error) => maskGraphqlError(error, log, services.publicUrl) },
    plugins: [limitDocument(), judgeDocument(schema), refuseSubscription(), takeResult(schema)],
  });

  return async (call, incoming) => {
    const request = parseGraphqlRequest(incoming, call.caller !== null);
    if (acceptsEventStream(incoming.headers) && asksSubscription(request)) {
      return answerEventStream(eventStream, call, request, incoming.headers);
    }
    const eventId = createId('auditEvent');
    // The recipient is looked up while the document is read; its failure is met where it is needed.
    const opening = services.openGraphOperation(call, eventId);
    opening.catch(() => undefined);
    const context: RequestContext = {
      // What a stranger is refused is counted, not recorded one by one: no event of that id need come to be.
      call: { ...call, parentEventId: call.caller === null ? null : eventId },
      services,
      record: createOperationRecord(),
      opening,
      refused: new Map(),
      executed: { document: null, cost: null, result: null },
    };
    await yoga.fetch(
      new Request('http://gateway.invalid/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: incoming.body,
        // Without the caller's signal: what was done is recorded to the end. What need not be done is broken
        // off by those who do it, who find the signal in the call.
      }),
      context,
    );
    const operation = await opening;
    const { result } = context.executed;
    if (result === null) throw new TypeError('"result" must be set by the execution');
    return answer(operation, context, result, { incoming, log });
  };
}

/** Seals and records what was executed; what is thrown instead is answered plain, without data. */
async function answer(
  operation: GraphOperation,
  { call, record, executed: { cost } }: RequestContext,
  executed: ExecutionResult,
  { incoming: { headers }, log }: { readonly incoming: Incoming; readonly log: Log },
): Promise<Answer> {
  const { session } = operation;
  const isSealed = session.delivery.kind === 'SEALED';
  const { requestId } = call;
  const usage = call.caller === null ? {} : usageExtensions(session.usage(), cost);
  const ending = keyExtensions(session.delivery);
  let result: ExecutionResult = isSealed
    ? { ...executed, errors: executed.errors && withUpstream(executed.errors) }
    : executed;
  noteFailure(record, result.errors?.[0]);
  const encode = (auditEventId: string): string =>
    encodeResult(result, { auditEventId, requestId, ...ending, ...usage });
  const eventId = operation.eventId ?? '';
  let answered = true;
  let text: string;
  try {
    text = encode(eventId);
  } catch (error) {
    // What was done is recorded, and told of a change, also where the result of it cannot be answered.
    answered = false;
    const failure = withChange(unencodable(error, log), record, executed, await operation.changed());
    result = { errors: [publicGraphqlError(failure)] };
    noteFailure(record, result.errors?.[0]);
    text = encode(eventId);
  }
  const { envelope, auditEventId } = await operation
    .finish(record, { body: encodeUtf8(text), answered })
    .catch((error: unknown) => {
      throw isSealdeskError(error) ? withChange(error, record, executed) : error;
    });
  const { status, headers: retryAfter } = statusOf(result);
  if (envelope !== null)
    return jsonAnswer(status, envelope, { ...retryAfter, 'content-type': SEALED_MEDIA_TYPE });
  const contentType = `${graphqlMediaType(headers)}; charset=utf-8`;
  return {
    ...jsonAnswer(status, null, { ...retryAfter, 'content-type': contentType }),
    body: operation.eventId === null ? encode(auditEventId) : text,
  };
}

/** Refuses oversized documents while reading them, and the schema's shape to callers without a key. */
function limitDocument(): Plugin<RequestContext, RequestContext> {
  return {
    onParse({ setParseFn }) {
      setParseFn((source, parseOptions) =>
        parse(source, { ...parseOptions, maxTokens: MAX_DOCUMENT_TOKENS }),
      );
    },
    onValidate({ params, addValidationRule, setValidationFn, validateFn, context }) {
      context.executed.document = params.documentAST;
      const hideSuggestions = context.call.caller === null;
      if (hideSuggestions) addValidationRule(needKeyToIntrospect);
      setValidationFn((schema, document, rules, validateOptions) =>
        validateFn(schema, document, rules, {
          ...validateOptions,
          maxErrors: MAX_VALIDATION_ERRORS,
          hideSuggestions,
        }),
      );
    },
  };
}

/** Refuses introspection. */
function needKeyToIntrospect(context: ValidationContext): ASTVisitor {
  return {
    Field(node) {
      const type = context.getType();
      if (type == null || !isIntrospectionType(getNamedType(type))) return;
      context.reportError(
        new GraphQLError(
          'The schema is shown to callers with an API key only. Send one as X-API-Key or as Authorization: Bearer.',
          { nodes: node },
        ),
      );
    },
  };
}

/** Opens the operation's session to the resolvers, unless its answer could not leave: then nothing is executed. */
function judgeDocument(schema: GraphQLSchema): Plugin<RequestContext, RequestContext> {
  return {
    async onExecute({ args, extendContext, setResultAndStopExecution }) {
      const { call, record, opening, executed } = args.contextValue;
      const operationName = args.operationName ?? null;
      noteDocument(record, args.document, operationName);
      const session = await opening.then(
        (opened) => opened.session,
        // It is met again, and answered, when the execution is over.
        () => null,
      );
      if (session === null) return setResultAndStopExecution({});
      // Callers without a key are asked for one by the fields themselves.
      const isClosed = session.delivery.kind === 'NONE' && call.caller !== null;
      if (isClosed && selectsProtected(schema, args.document, operationName)) {
        return setResultAndStopExecution({ errors: [publicGraphqlError(sealedResponseRequired())] });
      }
      const telling = { schema, suggests: call.caller !== null };
      const wrong = variableError(args.document, operationName, args.variableValues ?? {}, telling);
      if (wrong !== null) return setResultAndStopExecution({ errors: [wrong] });
      executed.cost = documentCost(args);
      extendContext({ session });
    },
  };
}

/** Subscriptions that come here are of callers who take one result only. */
function refuseSubscription(): Plugin<RequestContext, RequestContext> {
  return {
    onSubscribe({ setResultAndStopExecution }) {
      setResultAndStopExecution({ errors: [publicGraphqlError(streamRequired())] });
    },
  };
}

function streamRequired(): SealdeskError {
  return new SealdeskError(
    'VALIDATION_FAILED',
    `A subscription has many results: send Accept: ${EVENT_STREAM}, or connect by WebSocket (graphql-transport-ws).`,
  );
}

function sealedResponseRequired(): SealdeskError {
  return new SealdeskError(
    'SEALED_RESPONSE_REQUIRED',
    `The document asks for what leaves sealed only, so nothing was fetched. Send Accept: ${SEALED_MEDIA_TYPE} (sealedFetch does) and open the envelope, or have an ADMIN make an API key of delivery PLAINTEXT.`,
  );
}

/** Takes what was executed out of the library, which would write it as text: the answer is the route's own. */
function takeResult(schema: GraphQLSchema): Plugin<RequestContext, RequestContext> {
  return {
    onExecutionResult({ result, setResult, context }) {
      if (result === undefined || Symbol.asyncIterator in result) {
        throw new TypeError('"result" must be a single execution result');
      }
      const { data, errors } = result;
      const { document } = context.executed;
      const telling = { schema, suggests: context.call.caller !== null };
      const coded = { data, errors: errors?.map((error) => ensureCoded(error, document, telling)) };
      context.executed.result = withRefusals(coded, context.refused, context.services.publicUrl);
      setResult({});
    },
  };
}
