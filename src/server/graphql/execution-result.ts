/** An execution result on its way out: its form, its status, and what of a change it tells. */
import { GraphQLError } from 'graphql';
import {
  ERROR_CODES,
  type ErrorDetails,
  encodeUtf8,
  isErrorCode,
  type MutationOutcome,
  SealdeskError,
} from '../../base/index.ts';
import { withMendLink } from '../../proxy/index.ts';
import {
  type DocumentCost,
  type GraphSession,
  MAX_RESULT_BYTES,
  type ZendeskUsage,
} from '../../service/index.ts';
import { upstreamOf } from '../../zendesk/index.ts';
import { publicGraphqlError } from './mask-error.ts';
import type { OperationRecord } from './operation-record.ts';
import { encodeJsonWithin } from './result-text.ts';

/** Of all answers of Zendesk's that one result tells, as text in UTF-8. */
const MAX_UPSTREAM_BYTES = 64 * 1024;

const LEAST_SETTLED_FIRST: readonly MutationOutcome[] = ['UNKNOWN', 'APPLIED', 'NOT_SENT'];

/** What was executed, its errors masked and coded. */
export interface ExecutionResult {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLError[] | undefined;
}

export interface ResultExtensions {
  readonly auditEventId: string;
  readonly requestId: string;
  readonly clientKey?: object;
  readonly zendesk?: object;
  readonly cost?: DocumentCost;
}

/**
 * `result` with an error for each change that was refused, by its root field, unless one of its fields
 * raised it: those that select none of these must not take the refusal for success.
 */
export function withRefusals(
  result: ExecutionResult,
  refused: ReadonlyMap<string, SealdeskError>,
  publicUrl: string,
): ExecutionResult {
  const { errors = [] } = result;
  const untold = [...refused].filter(
    ([field, { code }]) =>
      !errors.some(({ path, extensions }) => path?.[0] === field && extensions['code'] === code),
  );
  if (untold.length === 0) return result;
  const told = untold.map(([field, failure]) =>
    publicGraphqlError(withMendLink(failure, publicUrl), { path: [field] }),
  );
  return { ...result, errors: [...told, ...errors] };
}

/**
 * `extensions.zendesk`: the calls an operation took part in, and what Zendesk last said is left, null
 * where it said nothing; and `extensions.cost`, where the document was judged.
 */
export function usageExtensions(
  { calls, remaining, resetsAt }: ZendeskUsage,
  cost: DocumentCost | null,
): Pick<ResultExtensions, 'zendesk' | 'cost'> {
  return {
    zendesk: { calls, remaining, resetsAt: resetsAt === null ? null : new Date(resetsAt).toISOString() },
    ...(cost === null ? {} : { cost }),
  };
}

/** `extensions.clientKey`: that the key which the answer is sealed to will end soon; nothing where it will not. */
export function keyExtensions(delivery: GraphSession['delivery']): Pick<ResultExtensions, 'clientKey'> {
  const recipient = delivery.kind === 'SEALED' ? delivery.recipient : null;
  if (recipient?.endsSoonAt == null) return {};
  return { clientKey: { keyId: recipient.keyId, endsAt: recipient.endsSoonAt.toISOString() } };
}

/**
 * The result as it is sent. Where nothing but errors is answered, `data` is null. Throws PAYLOAD_TOO_LARGE,
 * before it is written, where that is more than MAX_RESULT_BYTES.
 */
export function encodeResult({ data, errors }: ExecutionResult, extensions: ResultExtensions): string {
  const shown = isEmpty(data) && errors !== undefined ? null : data;
  const result = {
    ...(shown === undefined ? {} : { data: shown }),
    ...(errors === undefined ? {} : { errors }),
    extensions,
  };
  const text = encodeJsonWithin(result, MAX_RESULT_BYTES);
  if (text === null) throw tooLarge();
  return text;
}

/** The status of the first error's code where nothing but errors is answered, with its `Retry-After`. */
export function statusOf({ data, errors }: ExecutionResult): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
} {
  const { code, retryAfter } = errors?.[0]?.extensions ?? {};
  if (!isEmpty(data) || !isErrorCode(code)) return { status: 200, headers: {} };
  return {
    status: ERROR_CODES[code].status,
    headers: typeof retryAfter === 'number' ? { 'retry-after': String(Math.ceil(retryAfter)) } : {},
  };
}

/**
 * `errors` with Zendesk's own answers, each at the first error it caused and cut where all together would be
 * more than 64 KiB; the others tell its status only. For sealing only.
 */
export function withUpstream(errors: readonly GraphQLError[]): readonly GraphQLError[] {
  const told = new Set<unknown>();
  let left = MAX_UPSTREAM_BYTES;
  return errors.map((error) => {
    const upstream = upstreamOf(error.originalError);
    if (upstream === null || told.has(upstream) || left === 0) return error;
    told.add(upstream);
    const { status, body, truncated } = upstream;
    const text = encodeUtf8(typeof body === 'string' ? body : JSON.stringify(body));
    const isCut = text.length > left;
    const shown = isCut ? new TextDecoder().decode(text.subarray(0, left), { stream: true }) : body;
    left = Math.max(0, left - text.length);
    return new GraphQLError(`${error.message} Zendesk’s own words are in extensions.upstream.`, {
      ...(error.nodes === undefined ? {} : { nodes: error.nodes }),
      ...(error.path === undefined ? {} : { path: error.path }),
      extensions: { ...error.extensions, upstream: { status, body: shown, truncated: truncated || isCut } },
    });
  });
}

function tooLarge(): SealdeskError {
  const limit = `${MAX_RESULT_BYTES / 2 ** 20} MiB`;
  return new SealdeskError(
    'PAYLOAD_TOO_LARGE',
    `The result is larger than ${limit}. Ask for smaller pages, or for fewer fields.`,
    { subject: String(MAX_RESULT_BYTES) },
  );
}

/**
 * The failure to answer a mutation, unless it tells so itself with what became of its changes: by `changed`,
 * what the operation knows of those in Zendesk, by its errors, and by the root fields without one, which were
 * made. Of several the least settled is told: what was made must not look as if it could be sent again.
 */
export function withChange(
  failure: SealdeskError,
  record: OperationRecord,
  { data, errors = [] }: ExecutionResult,
  changed: Pick<ErrorDetails, 'mutation' | 'intentId'> = {},
): SealdeskError {
  if (record.kind !== 'mutation' || failure.details.mutation !== undefined) return failure;
  const isMade = Object.entries(data ?? {}).some(
    ([field, value]) => value !== null && !errors.some(({ path }) => path?.[0] === field),
  );
  const told: readonly Readonly<Record<string, unknown>>[] = [
    { ...changed },
    ...errors.map(({ extensions }) => extensions),
    ...(isMade ? [{ mutation: 'APPLIED' }] : []),
  ];
  for (const mutation of LEAST_SETTLED_FIRST) {
    const one = told.find((each) => each['mutation'] === mutation);
    if (one === undefined) continue;
    return failure.with({
      mutation,
      ...(typeof one['intentId'] === 'string' ? { intentId: one['intentId'] } : {}),
    });
  }
  return failure;
}

/** Whether an answer holds no value of any root field. */
function isEmpty(data: unknown): boolean {
  return typeof data !== 'object' || data === null || Object.values(data).every((value) => value === null);
}
