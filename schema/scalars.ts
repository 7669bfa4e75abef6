import { GraphQLError, type ValueNode, valueFromASTUntyped } from 'graphql';
import type { JsonValue } from '../src/base/index.ts';
import { builder } from './builder.ts';

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function parseDateTime(value: unknown): Date {
  if (typeof value !== 'string' || !DATE_TIME.test(value) || Number.isNaN(Date.parse(value))) {
    throw new GraphQLError('A DateTime must be ISO 8601 with an offset, such as 2026-11-21T09:30:00Z.');
  }
  const time = new Date(value);
  if (time.getTime() < Date.UTC(1970, 0) || time.getTime() >= Date.UTC(9999, 0)) {
    throw new GraphQLError('A DateTime must be between the years 1970 and 9998.');
  }
  return time;
}

function parseJsonObject(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new GraphQLError('A JSONObject must be a JSON object.');
  }
  return Object.fromEntries(Object.entries(value));
}

function parseCursor(value: unknown): string {
  if (typeof value !== 'string') throw new GraphQLError('A Cursor must be a string.');
  return value;
}

/** `parse` for what is written into the document: it fails at its place there. */
function parseLiteral<Value>(parse: (value: unknown) => Value) {
  return (node: ValueNode, variables: Readonly<Record<string, unknown>> | null | undefined): Value => {
    try {
      return parse(valueFromASTUntyped(node, variables));
    } catch (error) {
      if (!(error instanceof GraphQLError)) throw error;
      throw new GraphQLError(error.message, { nodes: node });
    }
  };
}

builder.scalarType('DateTime', {
  description: 'A time as ISO 8601 with its offset, such as `2026-11-21T09:30:00Z`. Answers are in UTC.',
  serialize: (value) => value.toISOString(),
  parseValue: parseDateTime,
  parseLiteral: parseLiteral(parseDateTime),
});

builder.scalarType('JSON', {
  description: 'Any JSON value, checked by the field that takes it.',
  serialize: (value) => value,
  parseValue: (value) => value as JsonValue,
});

builder.scalarType('JSONObject', {
  description: 'A JSON object, checked by the field that takes it.',
  serialize: (value) => value,
  parseValue: parseJsonObject,
  parseLiteral: parseLiteral(parseJsonObject),
});

builder.scalarType('Cursor', {
  description: 'A place in a stream, opaque: it is only handed back as it was received.',
  serialize: (value) => value,
  parseValue: parseCursor,
});

builder.scalarType('SafeInt', {
  description:
    'A whole number from 0 to 2^53 - 1, which any JSON number holds exactly. Only answered, never taken.',
  serialize: (value) => value,
  parseValue: () => {
    throw new GraphQLError('The gateway takes no SafeInt.');
  },
});

builder.scalarType('HybridCryptoEnvelope', {
  description:
    'A post-quantum envelope, version 1 (docs/envelope.md): the object as it stands is what an opener takes. Only answered, never taken.',
  serialize: (value) => value,
  parseValue: () => {
    throw new GraphQLError('The gateway takes no envelopes.');
  },
});
