/**
 * What every operation of the catalogue looks like to the pipeline: a payload that is checked before
 * anything is sent, and a run of one or more Zendesk calls that ends in one documented result.
 */
import type { z } from 'zod';
import type { Restriction, Role } from '../../access/index.ts';
import { isSealdeskError, type JsonObject, type MutationOutcome } from '../../base/index.ts';
import type { UsageMeter, ZendeskClient, ZendeskRequest, ZendeskResponse } from '../../zendesk/index.ts';
import type { ScopeGate } from '../scope/scope-gate.ts';
import { parsePayload } from './payload-issues.ts';

export const READERS: readonly Role[] = Object.freeze(['AGENT', 'DASHBOARD']);
const WRITERS: readonly Role[] = Object.freeze(['AGENT']);

/** What of the graph an operation lets a caller see or do. */
export type GraphPermit =
  | 'Ticket'
  | 'Comment'
  | 'PersonReference'
  | 'OrganizationReference'
  | 'User'
  | 'Organization'
  | 'TicketCreation'
  | 'TicketUpdate'
  | 'TicketFeed'
  | 'Directory'
  | 'Provisioning';

/** What the pipeline gives to a run. */
export interface OperationContext {
  readonly usage: UsageMeter;
  /** Whether the caller may also run `operation`: `list_users` shows more of the people in an answer. */
  readonly isPermitted: (operation: string) => boolean;
  /**
   * For `create_ticket`: the value Zendesk gets as Idempotency-Key, already derived from the caller's
   * (never the caller's own text). Without one an unclear creation is never repeated.
   */
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since 1970. */
  readonly deadline?: number | undefined;
  /** What every answer of Zendesk passes on its way to a restricted client key; `null` where it is not restricted. */
  readonly gate: ScopeGate | null;
  /** For whom it runs, such as an API key's id: the account's budget is shared fairly between callers. */
  readonly caller?: string | undefined;
  /** Who may not be locked out beside those that Zendesk tells of; for operations that could. */
  readonly guard?: UserGuard | undefined;
}

export interface UserGuard {
  /** Zendesk's ids of those that an integration of the account names for emergencies. */
  readonly breakGlassIds: ReadonlySet<number>;
}

export interface OperationOutcome<Result> {
  readonly result: Result;
  /** For the audit log: `ticket:{id}`, `ticket`, `user` or `search`; never customer text. */
  readonly resource: string;
}

/** An operation whose payload has been accepted. */
export interface PreparedOperation<Result = JsonObject> {
  readonly resource: string;
  /** Rejects with `ZendeskError`; for a mutation always with `details.mutation`. */
  run(client: ZendeskClient, context: OperationContext): Promise<OperationOutcome<Result>>;
}

export interface Operation<Result = JsonObject> {
  readonly name: string;
  readonly description: string;
  readonly mutation: boolean;
  /** The roles of which a caller needs one. */
  readonly roles: readonly Role[];
  readonly permits: readonly GraphPermit[];
  /** Payload fields with what each means, for the docs and for forms. */
  readonly fields: Readonly<Record<string, string>>;
  /** The documented shape of a result. */
  readonly result: z.ZodType<Result>;
  /**
   * Checks `payload`, and that it keeps to what the client key is restricted to, if it is. Throws VALIDATION_FAILED
   * naming every refused field, or OPERATION_NOT_ALLOWED.
   */
  prepare(payload: unknown, restriction: Restriction | null): PreparedOperation<Result>;
}

/** One call to Zendesk on behalf of the operation: context and mutation flag are filled in. */
export type Call = (request: CallRequest) => Promise<ZendeskResponse>;
export type CallRequest = Pick<ZendeskRequest, 'method' | 'path' | 'query' | 'body' | 'idempotencyKey'>;

export interface OperationDefinition<Payload, Result> {
  readonly name: string;
  readonly description: string;
  readonly mutation: boolean;
  /** AGENT for changes, AGENT and DASHBOARD for reads, where left out. */
  readonly roles?: readonly Role[];
  readonly permits: readonly GraphPermit[];
  readonly payload: z.ZodType<Payload> & { readonly shape: Readonly<Record<string, z.ZodType>> };
  readonly result: z.ZodType<Result>;
  /** The payload held within a restriction; where left out, any payload may be sent, and the gate alone decides. */
  readonly restrict?: (payload: Payload, restriction: Restriction) => Payload;
  readonly resource: (payload: Payload) => string;
  /** The resource as it is known afterwards, such as the id of what was created. */
  readonly resourceOfResult?: (result: Result) => string;
  readonly run: (call: Call, payload: Payload, context: OperationContext) => Promise<Result>;
}

/** Closes over the payload's type, so that operations of different payloads share one table. */
export function defineOperation<Payload, Result>(
  definition: OperationDefinition<Payload, Result>,
): Operation<Result> {
  const { name, description, mutation, permits, payload: schema, result } = definition;
  const { roles = mutation ? WRITERS : READERS } = definition;
  return Object.freeze({
    name,
    description,
    mutation,
    roles: Object.freeze([...roles]),
    permits: Object.freeze([...permits]),
    fields: Object.freeze(
      Object.fromEntries(Object.entries(schema.shape).map(([field, of]) => [field, of.description ?? ''])),
    ),
    result,
    prepare(input: unknown, restriction: Restriction | null): PreparedOperation<Result> {
      const parsed = parsePayload(schema, input);
      const payload = restriction === null ? parsed : (definition.restrict?.(parsed, restriction) ?? parsed);
      const resource = definition.resource(payload);
      return Object.freeze({
        resource,
        async run(client: ZendeskClient, context: OperationContext): Promise<OperationOutcome<Result>> {
          const { signal, deadline, usage, caller, gate } = context;
          const send: Call = (request) =>
            client.request({
              ...request,
              mutation: mutation && request.method !== 'GET',
              ...{ signal, deadline, usage, caller },
            });
          const call = gate === null ? send : gated(send, gate);
          const done = await definition.run(call, payload, context);
          return { result: done, resource: definition.resourceOfResult?.(done) ?? resource };
        },
      });
    },
  });
}

/** The reads that a change makes before anything is sent: what fails them changed nothing, and tells so. */
export function beforeChange(call: Call): Call {
  return async (request) => {
    try {
      return await call(request);
    } catch (error) {
      const mutation: MutationOutcome = 'NOT_SENT';
      throw isSealdeskError(error) ? error.with({ mutation }) : error;
    }
  };
}

/** Calls whose answers pass the gate. Of a change that was made but not held within the scope, that it was is told. */
function gated(send: Call, gate: ScopeGate): Call {
  return async (request) => {
    let response: ZendeskResponse;
    try {
      response = await send(request);
    } catch (error) {
      throw gate.tell(error);
    }
    try {
      return gate.passResponse(response);
    } catch (error) {
      const mutation: MutationOutcome = 'APPLIED';
      throw request.method !== 'GET' && isSealdeskError(error) ? error.with({ mutation }) : error;
    }
  };
}
