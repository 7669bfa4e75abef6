import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { CONNECT_FAILURES } from '../../src/service/index.ts';

it('Every reason why an account is not connected is in the documentation, and no other', () => {
  const text = readFileSync(new URL('../../docs/connecting.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(rows).toEqual(Object.keys(CONNECT_FAILURES));
});
