/**
 * What a gateway answers in the clear where a sealed answer was asked for: failures from before it knew to
 * whom to seal, and nothing else. Nobody signed them, so they are rebuilt from the members that tell of
 * a failure. Data in the clear is refused, or anybody on the way could slip some in.
 */
import { GatewayAnswerError } from './gateway-transport.ts';

type Members = Readonly<Record<string, unknown>>;

const MAX_ERRORS = 100;

const ERROR_MEMBERS = ['message', 'locations', 'path', 'extensions'];
const REST_ERROR_MEMBERS = ['code', 'message', 'details'];
const META_MEMBERS = ['request_id', 'audit_event_id'];

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function select(value: unknown, members: readonly string[]): Members {
  const object = isObject(value) ? value : {};
  return Object.fromEntries(
    members.filter((name) => Object.hasOwn(object, name)).map((name) => [name, object[name]]),
  );
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
  const isError = (error: unknown): boolean => isObject(error) && typeof error['message'] === 'string';
  if (!Array.isArray(errors) || errors.length < 1 || errors.length > MAX_ERRORS || !errors.every(isError)) {
    throw new GatewayAnswerError('The gateway answered neither with an envelope nor with an error.');
  }
  return {
    errors: errors.map((error) => select(error, ERROR_MEMBERS)),
    ...(isObject(value['extensions']) ? { extensions: value['extensions'] } : {}),
  };
}

/** The failure in a REST answer: `error` and `meta`. Throws GatewayAnswerError where there is none. */
export function parseRestFailure(value: unknown): Members {
  if (!isObject(value) || value['success'] !== false || Object.hasOwn(value, 'data')) return refuseData();
  const error = select(value['error'], REST_ERROR_MEMBERS);
  if (typeof error['code'] !== 'string' || typeof error['message'] !== 'string') {
    throw new GatewayAnswerError('The gateway answered neither with an envelope nor with an error.');
  }
  return { success: false, error, meta: select(value['meta'], META_MEMBERS) };
}
