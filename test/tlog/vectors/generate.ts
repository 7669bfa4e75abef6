/**
 * Writes `test/vectors/audit-v1.json`, or with `--check` compares it with what would be written:
 *
 *     node test/tlog/vectors/generate.ts [--check]
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createAuditVectors } from './vectors.ts';

const file = new URL('../../vectors/audit-v1.json', import.meta.url);
const text = `${JSON.stringify(createAuditVectors(), null, 1)}\n`;
if (!process.argv.includes('--check')) {
  await writeFile(file, text);
} else if ((await readFile(file, 'utf8')) !== text) {
  console.error('test/vectors/audit-v1.json is not what its generator writes.');
  process.exitCode = 1;
}
