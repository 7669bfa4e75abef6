/** Collects the field errors of one write and refuses it as `422 RecordInvalid` with `details`. */
import type { Messages } from './messages.ts';
import { coded, Refusal } from './reply.ts';

export interface FieldError {
  readonly description: string;
  readonly error?: string;
  readonly ticket_field_id?: number;
  readonly ticket_field_type?: string;
}

export class Validation {
  readonly #details = new Map<string, FieldError[]>();
  readonly messages: Messages;

  constructor(messages: Messages) {
    this.messages = messages;
  }

  add(field: string, error: FieldError): void {
    const errors = this.#details.get(field);
    if (errors) errors.push(error);
    else this.#details.set(field, [error]);
  }

  invalid(field: string, label: string, value: unknown): void {
    this.add(field, { description: this.messages.invalid(label, String(value)), error: 'InvalidValue' });
  }

  /** Throws when anything was added. */
  assertValid(): void {
    if (this.#details.size === 0) return;
    throw new Refusal(
      coded(422, 'RecordInvalid', this.messages.record, { details: Object.fromEntries(this.#details) }),
    );
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isIdList = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((id) => Number.isSafeInteger(id));

export const isStringList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
