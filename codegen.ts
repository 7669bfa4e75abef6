/**
 * Writes the files that are printed from code: the schema's SDL, the tables of the docs, and the typed
 * documents beside every `documents.graphql` of the examples and tests. `--check` writes nothing and
 * fails where one is not up to date.
 */
import { glob, readFile, writeFile } from 'node:fs/promises';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as operationTypes from '@graphql-codegen/typescript-operations';
import { lexicographicSortSchema, parse, printSchema } from 'graphql';
import { schema } from './schema/index.ts';
import { ERROR_CODES } from './src/base/index.ts';
import { SETTINGS } from './src/config.ts';
import { printCatalogue } from './src/proxy/index.ts';

function printErrorCodes(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { status, retryable, meaning, remedy }]) =>
      `| \`${code}\` | ${status} | ${retryable ? 'yes' : 'no'} | ${meaning} | ${remedy} |`,
  );
  return [
    '# Errors',
    '',
    'Every failure has one of these codes: `extensions.code` in GraphQL, `error.code` in REST, where the answer also has the status of the code. GraphQL answers it with that status where nothing but errors is answered.',
    '',
    'In the clear an error carries our own text, names of fields and Zendesk’s short error token, never a value that was sent nor Zendesk’s description. Limits carry `retryAfter` in seconds. What failed once a change was under way carries `intentId` for `operationStatus`, and `mutation`: `APPLIED` (the change was made), `UNKNOWN` (nobody can tell), or `NOT_SENT` (nothing was changed: it was not sent, or Zendesk refused it with a clear 3xx or 4xx).',
    '',
    'A caller of `POST /api/v2/proxy/outbound` who accepts `application/vnd.sealdesk.envelope+json` gets failures of Zendesk as an envelope of purpose `proxy.error` with the same status; its plaintext holds `code`, `message`, `details` and, in `upstream`, Zendesk’s whole answer. In a sealed GraphQL answer the first error that comes of it has it in `extensions.upstream`.',
    '',
    '| code | status | worth repeating | meaning | what to do |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function printSettings(): string {
  const rows = Object.entries(SETTINGS).map(
    ([name, setting]) => `| \`${name}\` | \`${setting.default}\` | ${setting.meaning} |`,
  );
  return [
    '# Configuration',
    '',
    'Settings come from the environment. A value that cannot be used, and any `SEALDESK_` name that is not listed, is refused at start. `sealdesk doctor` prints what is in effect, without secrets.',
    '',
    '| setting | default | meaning |',
    '|---|---|---|',
    ...rows,
    '',
    'With `SEALDESK_KMS=aws`, region and credentials come from the environment that the AWS SDK reads (`AWS_REGION`, `AWS_PROFILE`, instance and container roles …).',
    '',
  ].join('\n');
}

/** Typed documents of the operations in one file, for any client that takes a `TypedDocumentNode`. */
async function printDocuments(path: string): Promise<string> {
  const printed = await codegen({
    filename: path.replace(/\.graphql$/, '.generated.ts'),
    schema: parse(printSchema(schema)),
    schemaAst: schema,
    documents: [{ location: path, document: parse(await readFile(new URL(path, import.meta.url), 'utf8')) }],
    config: {
      useTypeImports: true,
      immutableTypes: true,
      strictScalars: true,
      scalars: {
        Cursor: 'string',
        DateTime: 'string',
        HybridCryptoEnvelope: 'object',
        JSON: 'unknown',
        JSONObject: 'Record<string, unknown>',
        SafeInt: 'number',
      },
    },
    plugins: [{ operationTypes: {} }, { typedDocumentNode: {} }],
    pluginMap: { operationTypes, typedDocumentNode },
  });
  return `/* Printed by \`npm run generate\` from documents.graphql. */\n${printed}`;
}

const documents: string[] = [];
for await (const path of glob('{examples,test}/**/documents.graphql', { cwd: import.meta.dirname })) {
  documents.push(path.replaceAll('\\', '/'));
}

const GENERATED: Readonly<Record<string, () => string | Promise<string>>> = Object.freeze({
  ...Object.fromEntries(
    documents.map((path) => [path.replace(/\.graphql$/, '.generated.ts'), () => printDocuments(path)]),
  ),
  'schema/schema.graphql': () => `${printSchema(lexicographicSortSchema(schema))}\n`,
  'docs/errors.md': printErrorCodes,
  'docs/operations.md': printCatalogue,
  'docs/configuration.md': printSettings,
});

const isCheck = process.argv.includes('--check');
for (const [name, print] of Object.entries(GENERATED)) {
  const path = new URL(name, import.meta.url);
  const text = await print();
  const present = await readFile(path, 'utf8').catch(() => null);
  if (present === text) continue;
  if (isCheck) {
    console.error(`${name} is not up to date; run: npm run generate`);
    process.exitCode = 1;
  } else {
    await writeFile(path, text);
    console.log(`wrote ${name}`);
  }
}
