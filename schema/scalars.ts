import { GraphQLError } from 'graphql';
import type { JsonValue } from '../src/base/index.ts';
import { builder } from './builder.ts';

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

builder.scalarType('DateTime', {
  description: 'A time as ISO 8601 with its offset, such as `2026-11-21T09:30:00Z`. Answers are in UTC.',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    if (typeof value !== 'string' || !DATE_TIME.test(value) || Number.isNaN(Date.parse(value))) {
      throw new GraphQLError('A DateTime must be ISO 8601 with an offset, such as 2026-11-21T09:30:00Z.');
    }
    const time = new Date(value);
    if (time.getTime() < Date.UTC(1970, 0) || time.getTime() >= Date.UTC(9999, 0)) {
      throw new GraphQLError('A DateTime must be between the years 1970 and 9998.');
    }
    return time;
  },
});

builder.scalarType('JSON', {
  description: 'Any JSON value, checked by the field that takes it.',
  serialize: (value) => value,
  parseValue: (value) => value as JsonValue,
});

builder.scalarType('JSONObject', {
  description: 'A JSON object, checked by the field that takes it.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new GraphQLError('A JSONObject must be a JSON object.');
    }
    return Object.fromEntries(Object.entries(value));
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
