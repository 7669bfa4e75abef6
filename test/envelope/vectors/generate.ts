/**
 * Writes the vectors of `test/vectors`, or with `--check` compares them with what would be written:
 *
 *     node test/envelope/vectors/generate.ts [--check]
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createLoginTokenVector } from './login-token.ts';
import { createEnvelopeVectors } from './vectors.ts';

const VECTORS = {
  'envelope-v1.json': await createEnvelopeVectors(),
  'login-token-v1.json': createLoginTokenVector(),
};

for (const [name, vectors] of Object.entries(VECTORS)) {
  const file = new URL(`../../vectors/${name}`, import.meta.url);
  const text = `${JSON.stringify(vectors, null, 1)}\n`;
  if (!process.argv.includes('--check')) {
    await writeFile(file, text);
  } else if ((await readFile(file, 'utf8')) !== text) {
    console.error(`test/vectors/${name} is not what its generator writes.`);
    process.exitCode = 1;
  }
}
