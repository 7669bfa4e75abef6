/**
 * What a gateway answers in the clear where a sealed answer was asked for: failures from before it knew to
 * whom to seal, and nothing else. Nobody signed them, so they are rebuilt from the members that tell of
 * a failure, each in its own form. Data in the clear is refused, or anybody on the way could slip some in.
 */
import { GatewayAnswerError } from './gateway-transport.ts';

type Members = Readonly<Record<string, unknown>>;

const MAX_ERRORS = 100;

const MAX_TEXT = 2_000;
const MAX_PLACES = 100;

type Form = (value: unknown) => boolean;

const isText: Form = (value) => typeof value === 'string' && value.length <= MAX_TEXT;
const isCount: Form = (value) => typeof value === 'number' && Number.isFinite(value);
const isFlag: Form = (value) => typeof value === 'boolean';
const listOf =
  (form: Form): Form =>
  (value) =>
    Array.isArray(value) && value.length <= MAX_PLACES && value.every(form);

const FIELD_ISSUE = { path: isText, message: isText, token: isText };
/** What our errors say of themselves; see docs/errors.md. */
const DETAILS: Readonly<Record<string, Form>> = {
  code: isText,
  retryable: isFlag,
  retryAfter: isCount,
  fields: listOf((issue) => hasForm(issue, FIELD_ISSUE)),
  upstreamError: isText,
  upstreamStatus: isCount,
  mutation: isText,
  intentId: isText,
  auditEventId: isText,
  subject: isText,
};
const GRAPHQL_ERROR: Readonly<Record<string, Form>> = {
  message: isText,
  locations: listOf((place) => hasForm(place, { line: isCount, column: isCount })),
  path: listOf((step) => isText(step) || isCount(step)),
};
const GRAPHQL_META: Readonly<Record<string, Form>> = { auditEventId: isText, requestId: isText };
const REST_ERROR: Readonly<Record<string, Form>> = { code: isText, message: isText };
const REST_META: Readonly<Record<string, Form>> = {
  request_id: isText,
  audit_event_id: (value) => value === null || isText(value),
};

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether `value` has members of these forms and no others. */
function hasForm(value: unknown, forms: Readonly<Record<string, Form>>): boolean {
  return (
    isObject(value) &&
    Object.entries(value).every(([name, member]) => Object.hasOwn(forms, name) && forms[name]?.(member))
  );
}

/** The members of `value` that have their form; the rest is left out. */
function select(value: unknown, forms: Readonly<Record<string, Form>>): Members {
  const object = isObject(value) ? value : {};
  return Object.fromEntries(
    Object.entries(forms)
      .filter(([name, form]) => Object.hasOwn(object, name) && form(object[name]))
      .map(([name]) => [name, object[name]]),
  );
}

function unlessEmpty(name: string, members: Members): Members {
  return Object.keys(members).length === 0 ? {} : { [name]: members };
}

/** A plain answer that holds data: refused, whatever else it says. */
function refuseData(): never {
  throw new GatewayAnswerError(
    'The gateway answered with data in the clear where a sealed answer was asked for; none of it was passed on. Look for a proxy between here and the gateway that alters headers.',
  );
}

/** The failure in a GraphQL answer: `errors` and `extensions`. Throws GatewayAnswerError where there is none. */
export function parseGraphqlFailure(value: unknown): Members {
  if (!isObject(value) || (value['data'] !== undefined && value['data'] !== null)) return refuseData();
  const { errors } = value;
  const isError = (error: unknown): boolean => isObject(error) && isText(error['message']);
  if (!Array.isArray(errors) || errors.length < 1 || errors.length > MAX_ERRORS || !errors.every(isError)) {
    throw new GatewayAnswerError('The gateway answered neither with an envelope nor with an error.');
  }
  return {
    errors: errors.map((error) => ({
      ...select(error, GRAPHQL_ERROR),
      ...unlessEmpty('extensions', select(error.extensions, DETAILS)),
    })),
    ...unlessEmpty('extensions', select(value['extensions'], GRAPHQL_META)),
  };
}

/** The failure in a REST answer: `error` and `meta`. Throws GatewayAnswerError where there is none. */
export function parseRestFailure(value: unknown): Members {
  if (!isObject(value) || value['success'] !== false || Object.hasOwn(value, 'data')) return refuseData();
  const { error: told } = value;
  const error = select(told, REST_ERROR);
  if (typeof error['code'] !== 'string' || typeof error['message'] !== 'string') {
    throw new GatewayAnswerError('The gateway answered neither with an envelope nor with an error.');
  }
  const details = select(isObject(told) ? told['details'] : undefined, DETAILS);
  return {
    success: false,
    error: { ...error, ...unlessEmpty('details', details) },
    meta: select(value['meta'], REST_META),
  };
}
