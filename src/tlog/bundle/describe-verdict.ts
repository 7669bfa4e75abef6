/** A verdict on a bundle in plain words: for people who have to sign that they believe it. */
import type {
  BundleFact,
  BundleFailure,
  BundleFailureCode,
  BundleVerdict,
  SignerFact,
  UnprovenParts,
} from './bundle-verdict.ts';

export interface VerdictWords {
  /** What holds, in sentences. */
  readonly proven: readonly string[];
  /** What holds and must not be overlooked. */
  readonly alarms: readonly string[];
  /** What nobody can tell from these files. */
  readonly notProven: readonly string[];
  /** Why the bundle is refused; `null` where it is not. */
  readonly failure: string | null;
}

export function describeVerdict(verdict: BundleVerdict): VerdictWords {
  const said = verdict.facts.map((fact) => ({ fact, words: describeFact(fact, verdict) }));
  const isAlarm = ({ fact }: BundleFact): boolean => fact === 'RESTORED' || fact === 'LOST';
  return {
    proven: said.filter(({ fact }) => !isAlarm(fact)).map(({ words }) => words),
    alarms: said.filter(({ fact }) => isAlarm(fact)).map(({ words }) => words),
    notProven: verdict.kind === 'PROVEN' ? describeUnproven(verdict, verdict.unproven) : [],
    failure: verdict.kind === 'REFUSED' ? describeFailure(verdict.failure) : null,
  };
}

/** The key as a line: type, fingerprint, and why it is believed. */
export function describeSigner({ type, fingerprint, trust }: SignerFact): string {
  const why = {
    PINNED: 'the key that you named',
    PREVIOUS: 'the key of the bundle that you held before',
    FIRST_USE: 'NOT COMPARED with anything you know',
  }[trust];
  return `${type === 'ED25519' ? 'Ed25519' : 'ML-DSA-65'} key, SHA-256 ${fingerprint}: ${why}`;
}

function describeFact(fact: BundleFact, { header }: BundleVerdict): string {
  switch (fact.fact) {
    case 'SIGNED':
      return `Both keys of the log ${header?.origin} signed its checkpoint of ${countOf(header?.size ?? 0)}.`;
    case 'COMPLETE':
      return fact.range.to - fact.range.from === 1
        ? `The event ${fact.range.from} is in that log, at this index and unaltered.`
        : `The events ${indexes(fact.range)} are in that log, each at its index: none is altered, missing, added or moved.`;
    case 'EXTENDS':
      return fact.heldBy === 'VERIFIER'
        ? `The log begins with the ${countOf(fact.size)} that the previous bundle was signed for: nothing of that was altered or removed since.`
        : `The log begins with the ${countOf(fact.size)} of the earlier checkpoint in the bundle.`;
    case 'RESTORED':
      return `The log was restored or altered, and an operator went on with it: the event at index ${fact.index} ends epoch ${fact.endedEpoch}, of which ${countOf(fact.endedSize)} could be vouched for. Some of that may be lost; ask the operator which, and why.`;
    case 'LOST':
      return `The log does NOT begin with the ${countOf(fact.size)} that were signed in the epoch before: some of that is gone or changed. Keep the previous bundle: it shows what was lost.`;
    case 'LOGGED':
      return `The answer with audit event ${fact.auditEventId} was logged: the event at index ${fact.index} lists this very envelope.`;
    default:
      return fact satisfies never;
  }
}

function describeUnproven(
  { facts, header }: Extract<BundleVerdict, { kind: 'PROVEN' }>,
  { historyLines, hasUnusedProof }: UnprovenParts,
): readonly string[] {
  const has = (name: BundleFact['fact']): boolean => facts.some(({ fact }) => fact === name);
  const isFirstUse = facts.some(
    (fact) => fact.fact === 'SIGNED' && fact.signers.some(({ trust }) => trust === 'FIRST_USE'),
  );
  const others = header.size - (header.to - header.from);
  return [
    ...(isFirstUse
      ? [
          'Whose keys these are: they came with the bundle. Compare the fingerprints with the operator by another channel, then name the keys with --key.',
        ]
      : []),
    ...(has('EXTENDS')
      ? []
      : [
          'That this log extends one that you saw before: keep this bundle, and give it as --previous next time.',
        ]),
    ...(others > 0 ? [`What else the log says: of ${countOf(others)} only hashes are here.`] : []),
    ...(historyLines > 0
      ? [
          `The history of policy and keys (lines: ${historyLines}): no signature covers it. Hold it against the events.`,
        ]
      : []),
    ...(hasUnusedProof
      ? [
          `The consistency proof from ${header.previousSize} events: the bundle of that size is needed to use it.`,
        ]
      : []),
    'That the operator logged everything: only an answer whose receipt is held against the log is known to be in it.',
    'That others were shown the same log: compare its checkpoints with theirs.',
    'That times are right: they are those of the clock of the gateway, and the time of the export is not signed.',
  ];
}

const FAILURES: Readonly<Record<BundleFailureCode, string>> = Object.freeze({
  MALFORMED: 'This is not the line of a bundle that has to stand here, exactly as a gateway writes it.',
  TRUNCATED: 'The bundle is cut off, or its end counts other lines than it has.',
  KEY_MALFORMED: 'This is no verifier key of this log.',
  KEY_NOT_PINNED: 'The checkpoint is signed by another key than the one named with --key.',
  KEY_CHANGED:
    'The checkpoint is signed by another key than the previous bundle. Where the operator tells by another channel that the key was changed, name the new one with --key.',
  EARLIER_KEY:
    'The earlier checkpoint in the bundle is signed by a key that neither signed the newer one nor is known to you.',
  NOT_SIGNED: 'The checkpoint is not signed by both keys that the bundle names, or a signature is wrong.',
  OTHER_CHECKPOINT: 'The checkpoint is of another log, size or epoch than the bundle says.',
  OTHER_LOG: 'The bundle is of another tenant than the key, the previous bundle or the envelope.',
  OLDER_EPOCH: 'The bundle is of an older epoch of the log than the previous bundle.',
  EPOCH_NOT_EXPLAINED:
    'The log has begun a new epoch, and no event of the bundle (audit.accept-restore) ends the epoch that you know. Ask for an export that begins earlier.',
  WRONG_PROOF: 'The consistency proof of the bundle does not fit its own events.',
  WRONG_NODES: 'The nodes are not those that complete these events.',
  INDEX_GAP: 'The event that has to stand here is missing, or another stands in its place.',
  LEAF_NOT_CANONICAL: 'What stands here is not the canonical JSON of an event.',
  LEAF_MISPLACED: 'The event that stands here was logged at another index.',
  LEAF_FOREIGN: 'The event that stands here was logged for another tenant.',
  LEAF_ALTERED: 'The event that stands here is not the one that was logged: its hash is another.',
  ROOT_MISMATCH:
    'The events are not those that were signed: one or more were altered, or the nodes beside them.',
  SHRUNK: 'The log is smaller than the previous bundle was signed for: events were removed.',
  REWRITTEN:
    'The log does not begin with what was signed before: it was rewritten. Keep both bundles: together they prove it, since the log signed both.',
  NOT_COMPARABLE:
    'Nothing in this bundle leads to the size of the previous one. Ask for an export that begins there or names its size.',
  RECEIPT_NOT_FOUND:
    'None of the events of the bundle has the id that the envelope names. Ask for an export of the whole log; if it is not there, the answer was not logged.',
  RECEIPT_NOT_LISTED: 'The event that the envelope names does not list this envelope.',
});

function describeFailure({ code, line, brokenIndex, range }: BundleFailure): string {
  const where = [
    ...(brokenIndex === null ? [] : [`First broken index: ${brokenIndex}.`]),
    ...(brokenIndex !== null || range === null ? [] : [`It lies among the events ${indexes(range)}.`]),
    ...(line === null ? [] : [`Line ${line} of the bundle.`]),
  ];
  return [FAILURES[code], ...where].join(' ');
}

function indexes({ from, to }: { readonly from: number; readonly to: number }): string {
  return `${from} to ${to - 1}`;
}

function countOf(events: number): string {
  return events === 1 ? '1 event' : `${events} events`;
}
