import { z } from 'zod';
import type { JsonObject } from '../../base/index.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { CONNECTION_OPTIONS, readApiKey } from '../connection-options.ts';
import { muteExperimentalWarnings } from '../experimental-warnings.ts';
import { asUnreached } from '../gateway-call.ts';
import { asUnsent, openKeyFileClient } from '../key-file-client.ts';
import { printableJson } from '../printable-json.ts';
import { readInputText } from '../read-input.ts';
import type { Terminal } from '../terminal.ts';

/** Bytes of a document, and of variables; the gateway takes no longer request. */
const MAX_INPUT_BYTES = 1_048_576;
const JsonObjectText = z.record(z.string(), z.json());

export const command = defineCommand({
  positionals: ['DOCUMENT'],
  options: {
    variables: {
      type: 'string',
      value: 'JSON',
      help: 'variables, a JSON object; @FILE reads them from a file',
    },
    operation: { type: 'string', value: 'NAME', help: 'which operation to run, where DOCUMENT has several' },
    key: { type: 'string', value: 'FILE', help: 'the key file that the answer is sealed to' },
    ...CONNECTION_OPTIONS,
    url: { type: 'string', value: 'URL', help: 'address of the gateway (the one that the key file names)' },
  },
  description: `
Asks the typed graph and prints the answer as indented JSON. The answer travels as an envelope sealed to
the key in FILE; it is printed only where it is signed by a key that FILE trusts and answers this very
request. DOCUMENT is a query or a mutation; @FILE reads it from a file, - from standard input. The exit
code is 1 where the answer has errors. Without an API key the request is signed by the key in FILE, which
may log in by itself where its mapping granted that.

The request itself is not sealed: document and variables are protected by TLS alone. A failure that the
gateway answers in the clear, because it has nobody to seal to, is printed with a note that nobody signed
it. When the gateway has changed its signing key, FILE is rewritten with the key that follows.`,
  async run({ values, positionals: [given = ''] }, { terminal }) {
    const { key: file, operation: operationName } = values;
    if (file === undefined) throw new UsageError('--key FILE is missing. See sealdesk query --help.');
    assertReadOnce([given, values.variables, values['api-key-file']]);
    const document = await readDocument(terminal, given);
    const variables = await readVariables(terminal, values.variables ?? '{}');
    const apiKey = await readApiKey(values, terminal);
    using _quiet = muteExperimentalWarnings();
    const { client, url } = await openKeyFileClient({
      ...{ file, apiKey, url: values.url },
      insecureHttp: values['insecure-http'],
    });
    const options = operationName === undefined ? {} : { operationName };
    const answer = await client.request(document, variables, options).catch((error: unknown) => {
      throw asUnsent(asUnreached(error, url));
    });
    const { auditEventId, data, errors, extensions } = answer;
    terminal.write(`${printableJson({ errors, data, extensions })}\n`);
    if (auditEventId === null) {
      terminal.warn('sealdesk: This failure was answered in the clear: nobody signed it.');
    }
    return errors === undefined ? 0 : 1;
  },
});

/** Standard input is there once. */
function assertReadOnce(named: readonly (string | undefined)[]): void {
  if (named.filter((name) => name === '-' || name === '@-').length > 1) {
    throw new UsageError('Standard input can be named once only. See sealdesk query --help.');
  }
}

/** `given` itself, or the text of the file that it names. */
async function readGiven(terminal: Terminal, given: string): Promise<string> {
  if (given === '-') return readInputText(terminal, given, MAX_INPUT_BYTES);
  return given.startsWith('@') ? readInputText(terminal, given.slice(1), MAX_INPUT_BYTES) : given;
}

async function readDocument(terminal: Terminal, given: string): Promise<string> {
  const document = await readGiven(terminal, given);
  if (document.trim() === '') throw new UsageError('DOCUMENT is empty. See sealdesk query --help.');
  return document;
}

/** The parser's own message is not shown, since it quotes the text. */
async function readVariables(terminal: Terminal, given: string): Promise<JsonObject> {
  try {
    return JsonObjectText.parse(JSON.parse(await readGiven(terminal, given)));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    throw new UsageError('--variables takes a JSON object such as \'{"id":"int_…"}\', or @FILE with one.');
  }
}
