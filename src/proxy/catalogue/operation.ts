/**
 * What every operation of the catalogue looks like to the pipeline: a payload that is checked before
 * anything is sent, and a run of one or more Zendesk calls that ends in one documented result.
 */
import type { z } from 'zod';
import type { JsonObject } from '../../base/index.ts';
import type { UsageMeter, ZendeskClient, ZendeskRequest, ZendeskResponse } from '../../zendesk/index.ts';
import { parsePayload } from './payload-issues.ts';

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
  | 'TicketFeed';

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
  /** For whom it runs, such as an API key's id: the account's budget is shared fairly between callers. */
  readonly caller?: string | undefined;
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
  readonly permits: readonly GraphPermit[];
  /** Payload fields with what each means, for the docs and for forms. */
  readonly fields: Readonly<Record<string, string>>;
  /** The documented shape of a result. */
  readonly result: z.ZodType<Result>;
  /** Checks `payload`. Throws VALIDATION_FAILED naming every refused field. */
  prepare(payload: unknown): PreparedOperation<Result>;
}

/** One call to Zendesk on behalf of the operation: context and mutation flag are filled in. */
export type Call = (request: CallRequest) => Promise<ZendeskResponse>;
export type CallRequest = Pick<ZendeskRequest, 'method' | 'path' | 'query' | 'body' | 'idempotencyKey'>;

export interface OperationDefinition<Payload, Result> {
  readonly name: string;
  readonly description: string;
  readonly mutation: boolean;
  readonly permits: readonly GraphPermit[];
  readonly payload: z.ZodType<Payload> & { readonly shape: Readonly<Record<string, z.ZodType>> };
  readonly result: z.ZodType<Result>;
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
  return Object.freeze({
    name,
    description,
    mutation,
    permits: Object.freeze([...permits]),
    fields: Object.freeze(
      Object.fromEntries(Object.entries(schema.shape).map(([field, of]) => [field, of.description ?? ''])),
    ),
    result,
    prepare(input: unknown): PreparedOperation<Result> {
      const payload = parsePayload(schema, input);
      const resource = definition.resource(payload);
      return Object.freeze({
        resource,
        async run(client: ZendeskClient, context: OperationContext): Promise<OperationOutcome<Result>> {
          const { signal, deadline, usage, caller } = context;
          const call: Call = (request) =>
            client.request({ ...request, mutation, signal, deadline, usage, caller });
          const done = await definition.run(call, payload, context);
          return { result: done, resource: definition.resourceOfResult?.(done) ?? resource };
        },
      });
    },
  });
}
