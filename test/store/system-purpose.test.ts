import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SYSTEM_PURPOSES } from '../../src/store/index.ts';

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));
const USE = /\.withSystem\(\s*'([^']*)'/g;
const ANY_USE = /\.withSystem\(/g;

test('Every listed reason to work outside one tenant is used in src, and no other', () => {
  const sources = globSync('**/*.ts', { cwd: SOURCE }).map((file) =>
    readFileSync(join(SOURCE, file), 'utf8'),
  );
  const uses = sources.flatMap((text) => [...text.matchAll(USE)].map(([, purpose]) => purpose ?? ''));
  expect([...new Set(uses)].toSorted()).toEqual(Object.keys(SYSTEM_PURPOSES).toSorted());
  // A purpose in a variable would escape the list above.
  expect(sources.flatMap((text) => [...text.matchAll(ANY_USE)])).toHaveLength(uses.length);
});
