/** What of a document the log tells, and what an Accept header says. */
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createOperationRecord, noteDocument } from '../../src/server/graphql/operation-record.ts';
import { acceptsSealed } from '../../src/server/incoming.ts';

function fieldsOf(source: string): readonly string[] {
  const record = createOperationRecord();
  noteDocument(record, parse(source), null);
  return record.fields;
}

describe('the record of a document', () => {
  it('names its root fields, also those that stand in fragments', () => {
    expect(
      fieldsOf(
        'mutation { ...A } fragment A on Mutation { createTenant { id } ...B } fragment B on Mutation { revokeApiKey { id } }',
      ).toSorted(),
    ).toEqual(['createTenant', 'revokeApiKey']);
    expect(fieldsOf('{ ... on Query { ... { viewer { id } } } }')).toEqual(['viewer']);
  });

  it('comes to an end with fragments that spread each other', () => {
    expect(
      fieldsOf('{ ...A } fragment A on Query { ...B viewer { id } } fragment B on Query { ...A }'),
    ).toEqual(['viewer']);
  });
});

describe('an Accept header', () => {
  const SEALED = 'application/vnd.sealdesk.envelope+json';

  it.each([
    [SEALED, true],
    [SEALED.toUpperCase(), true],
    [`text/html, ${SEALED};q=0.5`, true],
    [`${SEALED}; q=0`, false],
    [`${SEALED};q=0.000, application/json`, false],
    ['application/json', false],
    ['*/*', false],
    ['', false],
  ])('%j asks for a sealed answer: %s', (accept, expected) => {
    expect(acceptsSealed(new Headers({ accept }))).toBe(expected);
  });
});
