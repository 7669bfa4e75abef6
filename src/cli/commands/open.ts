import { parseUtf8 } from '../../base/index.ts';
import { createEnvelopeOpener } from '../../client/index.ts';
import { ENVELOPE_LIMITS } from '../../envelope/index.ts';
import { createNodeSuite } from '../../envelope/node.ts';
import { readClientKeyFile } from '../client-key-file.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { findEnvelope } from '../find-envelope.ts';
import { printableJson } from '../printable-json.ts';
import { readInputJson } from '../read-input.ts';

export const command = defineCommand({
  positionals: ['ENVELOPE.json'],
  options: {
    key: { type: 'string', value: 'FILE', help: 'the key file that the envelope is meant for' },
    raw: { type: 'boolean', help: 'print the exact bytes that were sealed, also what a terminal obeys' },
    header: {
      type: 'boolean',
      help: 'print the protected header instead (who sealed what for whom, and when), and transcript_sha256',
    },
  },
  description: `
Verifies both signatures of an envelope against the signing keys that the key file trusts, decrypts it
and prints the content; nothing of it where anything does not fit. ENVELOPE.json is the envelope, a
whole GraphQL answer with one envelope in it, or - for standard input. JSON is printed indented.
Characters that a terminal would obey are printed as \\uXXXX in JSON and as U+FFFD in other text.

It proves that the gateway sealed this for this key. It does not prove that it is the newest answer, or
the answer to a certain request: compare the header for that.

transcript_sha256 is computed here: the audit log has the same value in envelopes.sha256 of the event
whose id is audit_event_id.`,
  async run({ values, positionals: [file = '-'] }, { terminal }) {
    if (values.key === undefined) throw new UsageError('--key FILE is missing. See sealdesk open --help.');
    const suite = createNodeSuite();
    const opener = createEnvelopeOpener(suite, await readClientKeyFile(suite, values.key));
    const envelope = findEnvelope(await readInputJson(terminal, file, ENVELOPE_LIMITS.maxText), 'envelope');
    const { header, plaintext, transcriptSha256 } = await opener.open(envelope);
    if (values.header) terminal.print(printableJson({ ...header, transcript_sha256: transcriptSha256 }));
    else if (values.raw) terminal.write(plaintext);
    else terminal.write(shown(plaintext, header.content_type));
    return 0;
  },
});

/** JSON indented, other text as it is. Throws CommandError for what is no text. */
function shown(plaintext: Uint8Array, contentType: string): string {
  const text = parseUtf8(plaintext);
  if (text === null) {
    throw new CommandError(`The content (${contentType}) is not text. Print its bytes with --raw.`);
  }
  if (!/^application\/(?:[\w.+-]+\+)?json\b/.test(contentType)) return text;
  try {
    return `${printableJson(JSON.parse(text))}\n`;
  } catch {
    return text;
  }
}
