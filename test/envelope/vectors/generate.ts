/**
 * Writes `test/vectors/envelope-v1.json`, or with `--check` compares it with what would be written:
 *
 *     node test/envelope/vectors/generate.ts [--check]
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createEnvelopeVectors } from './vectors.ts';

const file = new URL('../../vectors/envelope-v1.json', import.meta.url);
const text = `${JSON.stringify(await createEnvelopeVectors(), null, 1)}\n`;
if (!process.argv.includes('--check')) {
  await writeFile(file, text);
} else if ((await readFile(file, 'utf8')) !== text) {
  console.error('test/vectors/envelope-v1.json is not what its generator writes.');
  process.exitCode = 1;
}
