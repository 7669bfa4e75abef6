/**
 * `POST /graphql`: one document in, one execution result out. Every operation, refused ones too, is
 * recorded as one audit event before the first byte of its answer leaves; if that fails there is no
 * answer. Limits on tokens come before parsing, those on depth, breadth and cost before execution.
 */
import { type GraphQLError, type GraphQLSchema, NoSchemaIntrospectionCustomRule, parse } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import {
  createId,
  ERROR_CODES,
  isErrorCode,
  isSealdeskError,
  type Log,
  type MutationOutcome,
} from '../../base/index.ts';
import type { Call, Services } from '../../service/index.ts';
import { type Answer, jsonAnswer } from '../answer.ts';
import type { Incoming } from '../incoming.ts';
import { ensureCoded, maskGraphqlError } from './mask-error.ts';
import { graphqlMediaType } from './media-type.ts';
import {
  createOperationRecord,
  noteDocument,
  noteFailure,
  type OperationRecord,
} from './operation-record.ts';
import { assertGraphqlRequest } from './request.ts';

/** Most tokens of a document. */
export const MAX_DOCUMENT_TOKENS = 2_000;
const MAX_VALIDATION_ERRORS = 10;
const MUTATION_OUTCOMES: readonly MutationOutcome[] = ['APPLIED', 'UNKNOWN', 'NOT_SENT'];

export type GraphqlRoute = (call: Call, incoming: Incoming) => Promise<Answer>;

/** What resolvers find in their context. */
interface RequestContext {
  readonly call: Call;
  readonly services: Services;
  readonly record: OperationRecord;
}

export interface CreateGraphqlRouteOptions {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly log: Log;
}

/** The route over `schema`, whose resolvers get `{ call, services }` as context. */
export function createGraphqlRoute(options: CreateGraphqlRouteOptions): GraphqlRoute {
  const { schema, services, log } = options;
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
    maskedErrors: { maskError: (error) => maskGraphqlError(error, log) },
    plugins: [limitDocument(), recordOutcome(log)],
  });

  return async (call, incoming) => {
    assertGraphqlRequest(incoming, call.caller !== null);
    const record = createOperationRecord(createId('auditEvent'));
    const mediaType = graphqlMediaType(incoming.headers);
    const response = await yoga.fetch(
      new Request('http://gateway.invalid/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: mediaType },
        body: incoming.body,
        signal: incoming.signal,
      }),
      // What a stranger is refused is counted, not recorded one by one: no event of that id need come to be.
      {
        call: { ...call, parentEventId: call.caller === null ? null : record.eventId },
        services,
        record,
      },
    );
    const retryAfter = response.headers.get('retry-after');
    return {
      ...jsonAnswer(response.status, null, {
        'content-type': `${mediaType}; charset=utf-8`,
        ...(retryAfter === null ? {} : { 'retry-after': retryAfter }),
      }),
      body: await response.text(),
    };
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
    onValidate({ addValidationRule, setValidationFn, validateFn, context }) {
      const hideSuggestions = context.call.caller === null;
      if (hideSuggestions) addValidationRule(NoSchemaIntrospectionCustomRule);
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

/** Takes down what was asked and how it ended, writes the event, and names it in the answer. */
function recordOutcome(log: Log): Plugin<RequestContext, RequestContext> {
  return {
    onExecute({ args }) {
      noteDocument(args.contextValue.record, args.document, args.operationName ?? null);
    },
    async onExecutionResult({ result, setResult, context }) {
      if (result === undefined || Symbol.asyncIterator in result) {
        throw new TypeError('"result" must be a single execution result');
      }
      const { call, record, services } = context;
      const errors = result.errors?.map((error) => ensureCoded(error));
      noteFailure(record, errors?.[0]);
      try {
        const auditEventId = await services.recordOperation(call, record);
        const data = isEmpty(result.data) && errors !== undefined ? { data: null } : {};
        const extensions = { auditEventId, requestId: call.requestId, ...statusHint(result.data, errors) };
        setResult({ ...result, ...data, ...(errors === undefined ? {} : { errors }), extensions });
      } catch (error) {
        // Nothing of the result leaves but what became of a change.
        const failure = maskGraphqlError(withChange(error, record, errors), log);
        setResult({
          errors: [failure],
          extensions: { requestId: call.requestId, ...statusHint(null, [failure]) },
        });
      }
    },
  };
}

/**
 * The failure to record an operation, with what its first error told of a change. A mutation without
 * errors was made: that its answer is withheld must not look as if it had not been.
 */
function withChange(
  error: unknown,
  record: OperationRecord,
  errors: readonly GraphQLError[] | undefined,
): unknown {
  if (!isSealdeskError(error) || record.kind !== 'mutation') return error;
  const told = errors?.[0]?.extensions;
  const mutation =
    errors === undefined ? 'APPLIED' : MUTATION_OUTCOMES.find((known) => known === told?.['mutation']);
  if (mutation === undefined) return error;
  const intentId = told?.['intentId'];
  return error.with({ mutation, ...(typeof intentId === 'string' ? { intentId } : {}) });
}

/** The status of the first error's code, where nothing but errors is answered. Taken out by the library. */
function statusHint(data: unknown, errors: readonly GraphQLError[] | undefined): object {
  const code = errors?.[0]?.extensions['code'];
  if (!isEmpty(data) || typeof code !== 'string' || !isErrorCode(code)) return {};
  const retryAfter = errors?.[0]?.extensions['retryAfter'];
  const headers =
    typeof retryAfter === 'number' ? { headers: { 'retry-after': String(Math.ceil(retryAfter)) } } : {};
  return { http: { status: ERROR_CODES[code].status, ...headers } };
}

/** Whether an answer holds no value of any root field. */
function isEmpty(data: unknown): boolean {
  return typeof data !== 'object' || data === null || Object.values(data).every((value) => value === null);
}
