/** Finds the envelope in what people save: the envelope itself, or a whole GraphQL answer around it. */
import { printableLine } from '../client/index.ts';
import { CommandError } from './command-error.ts';

/**
 * The one envelope in `value`: `value` itself, or the member `name` of the only field in `data`. Throws
 * CommandError where `value` is a refusal of the gateway instead, saying what it says. Nothing is
 * verified here.
 */
export function findEnvelope(value: unknown, name: 'envelope' | 'welcome'): unknown {
  const refusal = refusalIn(value);
  if (refusal !== null) throw new CommandError(`This is no envelope but the gateway's refusal: ${refusal}`);
  const data = member(value, 'data');
  if (typeof data !== 'object' || data === null) return value;
  const found = Object.values(data).map((field) => member(field, name));
  return found.length === 1 && found[0] !== undefined ? found[0] : value;
}

function refusalIn(value: unknown): string | null {
  const errors = member(value, 'errors');
  const error = Array.isArray(errors) ? errors[0] : member(value, 'error');
  const message = member(error, 'message');
  if (typeof message !== 'string') return null;
  const code = member(error, 'code') ?? member(member(error, 'extensions'), 'code');
  return printableLine(typeof code === 'string' ? `${message} (${code})` : message).slice(0, 600);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
