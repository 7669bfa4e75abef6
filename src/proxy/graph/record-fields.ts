/** Reading members of Zendesk's records: the value where it is of the documented type, else `null`. */
import type { JsonObject, JsonValue } from '../../base/index.ts';
import { isObject } from '../catalogue/records.ts';

export function textOf(of: JsonObject, name: string): string | null {
  const value = of[name];
  return typeof value === 'string' ? value : null;
}

/** A text, or a number that Zendesk sends in its place. */
export function labelOf(of: JsonObject, name: string): string | null {
  const value = of[name];
  return typeof value === 'number' ? String(value) : textOf(of, name);
}

/** Largest integer of GraphQL. */
export const MAX_INT = 2 ** 31 - 1;

/** A size that is shown as a number; `null` where it is beyond GraphQL's integers. */
export function sizeOf(of: JsonObject, name: string): number | null {
  const value = integerOf(of, name);
  return value === null || value < 0 || value > MAX_INT ? null : value;
}

/** An id. */
export function integerOf(of: JsonObject, name: string): number | null {
  const value = of[name];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null;
}

export function isTrue(of: JsonObject, name: string): boolean {
  return of[name] === true;
}

export function timeOf(of: JsonObject, name: string): Date | null {
  const time = Date.parse(textOf(of, name) ?? '');
  return Number.isNaN(time) ? null : new Date(time);
}

export function idsOf(of: JsonObject, name: string): readonly number[] {
  return listOf(of, name).filter((value): value is number => Number.isSafeInteger(value));
}

export function textsOf(of: JsonObject, name: string): readonly string[] {
  return listOf(of, name).filter((value): value is string => typeof value === 'string');
}

export function objectOf(of: JsonObject, name: string): JsonObject | null {
  const value = of[name];
  return isObject(value) ? value : null;
}

export function objectsOf(of: JsonObject, name: string): readonly JsonObject[] {
  return listOf(of, name).filter(isObject);
}

function listOf(of: JsonObject, name: string): readonly JsonValue[] {
  const value = of[name];
  return Array.isArray(value) ? value : [];
}
