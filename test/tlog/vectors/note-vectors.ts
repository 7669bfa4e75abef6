/** Checkpoints as signed notes: those that hold, and each way in which one does not. */
import { encodeUtf8, type JsonObject } from '../../../src/base/index.ts';
import type { FixtureLog } from '../log-fixture.ts';
import { LogKeys } from '../log-fixture.ts';

export function createNoteVectors(log: FixtureLog): JsonObject {
  const note = log.checkpoint();
  const [text = '', body = ''] = note.split('\n\n');
  const [ed25519 = '', mlDsa65 = ''] = body.split('\n');
  const signed = (changed: string): string => log.keys.sign(log.origin, changed);
  const join = (...lines: readonly string[]): string => `${text}\n\n${lines.join('\n')}\n`;
  return {
    valid: [
      { name: 'the empty log', note: log.checkpoint(0), size: 0 },
      { name: 'one event', note: log.checkpoint(1), size: 1 },
      { name: 'the whole log', note, size: log.size },
      { name: 'signatures in the other order', note: join(mlDsa65, ed25519), size: log.size },
      {
        name: 'a witness that is not known',
        note: join(ed25519, mlDsa65, '\u2014 witness.example AAAAAAAAAA=='),
        size: log.size,
      },
    ],
    invalid: [
      { reason: 'no Ed25519 signature', note: join(mlDsa65) },
      { reason: 'no ML-DSA-65 signature', note: join(ed25519) },
      { reason: 'the same key twice', note: join(ed25519, ed25519, mlDsa65) },
      { reason: 'signatures of other keys', note: new LogKeys('stranger').sign(log.origin, `${text}\n`) },
      { reason: 'signatures of another text', note: log.checkpoint(12).replace(/^.*?\n\n/s, `${text}\n\n`) },
      {
        reason: 'ML-DSA-65 in the context of envelopes',
        note: log.keys.sign(log.origin, `${text}\n`, encodeUtf8('sealdesk/envelope/v1')),
      },
      { reason: 'keys named as another log', note: log.keys.sign(`${log.origin}/2`, `${text}\n`) },
      { reason: 'an extension line', note: signed(`${text}\nmore\n`) },
      { reason: 'a size with a leading zero', note: signed(`${text}\n`.replace('\n13\n', '\n013\n')) },
      { reason: 'a root without padding', note: signed(`${text}\n`.replace('=\n', '\n')) },
      { reason: 'carriage returns', note: note.replaceAll('\n', '\r\n') },
      { reason: 'a hyphen for the dash', note: note.replaceAll('\u2014', '-') },
      { reason: 'no line end', note: note.slice(0, -1) },
      { reason: 'an empty line behind', note: `${note}\n` },
      { reason: 'no signature', note: `${text}\n\n` },
    ],
  };
}
