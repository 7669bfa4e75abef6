import { encodeBase64Url } from '../../base/index.ts';
import { ENVELOPE_LIMITS, encodeTranscript, parseEnvelope } from '../../envelope/index.ts';
import {
  BUNDLE_LIMITS,
  type BundleVerdict,
  describeSigner,
  describeVerdict,
  type EpochCheckpoint,
  type LoggedAnswer,
  MAX_VERIFIER_KEY,
  type NoteSuite,
  type NoteVerifier,
  parseVerifierKey,
  readHeldCheckpoint,
  verifyBundle,
} from '../../tlog/index.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { findEnvelope } from '../find-envelope.ts';
import { createNodeNoteSuite } from '../note-suite.ts';
import { readInputJson, readInputLines, readInputText } from '../read-input.ts';
import type { Terminal } from '../terminal.ts';

/** Verifier keys in one file. */
const MAX_PINS = 64;

export const command = defineCommand({
  positionals: ['BUNDLE'],
  options: {
    previous: {
      type: 'string',
      value: 'OLD',
      help: 'a bundle that you verified before: what was signed then must still be there',
    },
    receipt: {
      type: 'string',
      value: 'ENVELOPE.json',
      help: 'an answer of the gateway that must have been logged',
    },
    key: {
      type: 'string',
      value: 'VERIFIER_KEY',
      multiple: true,
      help: 'a key of the log that you know, or @FILE with one a line; repeatable',
    },
  },
  description: `
Verifies an exported part of an audit log (docs/audit.md): that the log's two keys signed its
checkpoint, that every event of the bundle is in that log at its index, and that nothing between the
first and the last is missing. It reads files alone: no settings, no network. BUNDLE, OLD or
ENVELOPE.json can be - for standard input.

Without --key and --previous the keys are believed because the bundle says so; compare the fingerprints
that are printed with the operator by another channel. ENVELOPE.json is the envelope, or a whole GraphQL
answer with one envelope in it; its signatures are not verified here, sealdesk open does that.

What was proven is printed, and what was not. Exit code: 0 proven, 1 refused (with the index of the first
event that is not as it was logged, where that can be told), 2 wrong usage.`,
  async run({ values, positionals: [file = '-'] }, { terminal }) {
    assertOneStandardInput([file, values.previous, values.receipt, ...values.key.map((key) => key.slice(1))]);
    const suite = createNodeNoteSuite();
    const pins = await readPins(suite, terminal, values.key);
    const held =
      values.previous === undefined ? {} : { held: await readHeld(suite, terminal, values.previous) };
    const answer =
      values.receipt === undefined ? {} : { answer: await readAnswer(suite, terminal, values.receipt) };
    const lines = readInputLines(terminal, file, BUNDLE_LIMITS.maxLine);
    printVerdict(terminal, await verifyBundle(suite, lines, { pins, ...held, ...answer }));
    return 0;
  },
});

function assertOneStandardInput(files: readonly (string | undefined)[]): void {
  if (files.filter((file) => file === '-').length > 1) {
    throw new UsageError('Standard input can be named once. See sealdesk audit verify --help.');
  }
}

async function readPins(
  suite: NoteSuite,
  terminal: Terminal,
  given: readonly string[],
): Promise<readonly NoteVerifier[]> {
  const pins: NoteVerifier[] = [];
  for (const text of given) {
    const lines = text.startsWith('@') ? await readKeyLines(terminal, text.slice(1)) : [text];
    for (const line of lines) {
      const pin = parseVerifierKey(suite.sha256, line);
      if (pin === null) throw new UsageError('--key is no verifier key. See sealdesk audit verify --help.');
      pins.push(pin);
    }
  }
  return pins;
}

async function readKeyLines(terminal: Terminal, file: string): Promise<readonly string[]> {
  const text = await readInputText(terminal, file, MAX_PINS * (MAX_VERIFIER_KEY + 1));
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  if (lines.length === 0) throw new CommandError(`${file} holds no verifier key.`);
  return lines;
}

async function readHeld(suite: NoteSuite, terminal: Terminal, file: string): Promise<EpochCheckpoint> {
  const verdict = await readHeldCheckpoint(suite, readInputLines(terminal, file, BUNDLE_LIMITS.maxLine));
  if (verdict.kind === 'HELD') return verdict.held;
  const { failure } = describeVerdict({ ...verdict, header: null, facts: [] });
  throw new CommandError(`The previous bundle is refused. ${failure}`);
}

async function readAnswer(suite: NoteSuite, terminal: Terminal, file: string): Promise<LoggedAnswer> {
  const value = await readInputJson(terminal, file, ENVELOPE_LIMITS.maxText);
  const envelope = parseEnvelope(findEnvelope(value, 'envelope'));
  return {
    tenantId: envelope.header.tenant_id,
    auditEventId: envelope.header.audit_event_id,
    transcriptSha256: encodeBase64Url(suite.sha256(encodeTranscript(envelope))),
  };
}

/** Throws CommandError with the failure where the bundle is refused. */
function printVerdict(terminal: Terminal, verdict: BundleVerdict): void {
  const { header, facts } = verdict;
  const words = describeVerdict(verdict);
  if (header !== null) {
    const events = header.from === header.to ? 'no events' : `events ${header.from} to ${header.to - 1}`;
    terminal.print(`Log ${header.origin}: ${events} of ${header.size}, exported ${header.exportedAt}.`);
  }
  printList(
    terminal,
    'Keys of the log',
    facts.flatMap((fact) => (fact.fact === 'SIGNED' ? fact.signers.map(describeSigner) : [])),
  );
  printList(terminal, 'Proven', words.proven);
  printList(terminal, 'ATTENTION', words.alarms);
  printList(terminal, 'Not proven', words.notProven);
  if (words.failure !== null) throw new CommandError(`REFUSED. ${words.failure}`);
}

function printList(terminal: Terminal, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  terminal.print();
  terminal.print(`${title}:`);
  for (const line of lines) terminal.print(`  - ${line}`);
}
