/** Every document of docs/provisioning.md is one of the schema's. */
import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';

const TEXT = await readFile(new URL('../../docs/provisioning.md', import.meta.url), 'utf8');
const DOCUMENTS = [...TEXT.matchAll(/^```graphql\n(.*?)^```$/gms)].map(([, document = '']) => document);

it.each(DOCUMENTS)('docs/provisioning.md can be sent as it stands: %s', (document) => {
  expect(validate(schema, parse(document))).toEqual([]);
});

it('docs/provisioning.md shows documents', () => {
  expect(DOCUMENTS.length).toBeGreaterThan(2);
});
