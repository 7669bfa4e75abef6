/**
 * A bundle: a part of a log as a file that proves itself, one line of JSON after the other. Its order is
 *
 *     bundle, log_key (1 to 16), checkpoint (1 or 2), consistency (0 or 1), nodes,
 *     policy | client_key | signing_key (any number), event (to - from), end
 *
 * Every line is the RFC 8785 canonical JSON of its object. Specified in `docs/audit.md`.
 */
import {
  type Bytes,
  encodeBase64,
  encodeCanonicalJson,
  type JsonObject,
  type JsonValue,
  parseUtf8,
} from '../../base/index.ts';
import type { TreeNode } from '../perfect-nodes.ts';

/** What a reader accepts at most, and so what a writer makes. */
export const BUNDLE_LIMITS = Object.freeze({
  /** Bytes of a line, its line end not counted. */
  maxLine: 1_048_576,
  /** `log_key` lines. */
  maxKeys: 16,
  /** Hashes of a consistency proof, and nodes: no tree of 2^53 leaves needs more. */
  maxHashes: 128,
} as const);

/** The events [from, to) of the tree of `size`, whose checkpoint the bundle holds. */
export interface BundleHeader {
  readonly tenantId: string;
  readonly origin: string;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  /** The size of a checkpoint that the reader holds from before; `null` where none was named. */
  readonly previousSize: number | null;
  /** UTC with milliseconds, as `Date.prototype.toISOString` writes it. By the exporter's clock, not signed. */
  readonly exportedAt: string;
}

/** History to read beside the events; no hash covers it. */
export const HISTORY_TYPES = Object.freeze(['policy', 'client_key', 'signing_key'] as const);
export type HistoryType = (typeof HISTORY_TYPES)[number];

/** A line of history; its members beside `type` are of the exporter's choice. */
export type HistoryLine = {
  readonly [Type in HistoryType]: { readonly type: Type; readonly members: JsonObject };
}[HistoryType];

export interface EventLine {
  readonly type: 'event';
  readonly index: number;
  /** The exact bytes of the leaf. */
  readonly leaf: Bytes;
  /** The hash of the leaf, as its log has it. It proves nothing: it tells which leaf is not the one that was logged. */
  readonly hash?: Bytes;
}

export type BundleLine =
  | { readonly type: 'bundle'; readonly header: BundleHeader }
  | { readonly type: 'log_key'; readonly verifierKey: string }
  | { readonly type: 'checkpoint'; readonly note: string }
  | {
      readonly type: 'consistency';
      readonly from: number;
      readonly to: number;
      readonly hashes: readonly Bytes[];
    }
  | { readonly type: 'nodes'; readonly nodes: readonly TreeNode[] }
  | HistoryLine
  | EventLine
  | { readonly type: 'end'; readonly lines: number };

/** The line without its line end. RangeError where it is longer than {@link BUNDLE_LIMITS}.maxLine. */
export function encodeBundleLine(line: BundleLine): string {
  const text = line.type === 'event' ? encodeEvent(line) : encodeMembers(membersOf(line));
  if (text.length > BUNDLE_LIMITS.maxLine) {
    throw new RangeError(`"line" must be at most ${BUNDLE_LIMITS.maxLine} characters, got ${text.length}`);
  }
  return text;
}

/** The canonical JSON of an event around the base64 of its hash, where it has one, its index and the base64 of its leaf. */
export const EVENT_FORM = Object.freeze({
  hash: '{"hash":"',
  afterHash: '","index":',
  begin: '{"index":',
  middle: ',"leaf":"',
  end: '","type":"event"}',
} as const);

/** Written out, since a bundle has millions of them. */
function encodeEvent({ index, leaf, hash }: EventLine): string {
  const { begin, middle, end } = EVENT_FORM;
  const first = hash === undefined ? begin : `${EVENT_FORM.hash}${encodeBase64(hash)}${EVENT_FORM.afterHash}`;
  return `${first}${index}${middle}${encodeBase64(leaf)}${end}`;
}

function encodeMembers(members: JsonObject): string {
  const text = parseUtf8(encodeCanonicalJson(members));
  if (text === null) throw new RangeError('"line" has no JSON form');
  return text;
}

function membersOf(line: Exclude<BundleLine, EventLine>): JsonObject {
  switch (line.type) {
    case 'bundle':
      return { type: 'bundle', version: 1, ...headerMembers(line.header) };
    case 'log_key':
      return { type: line.type, verifier_key: line.verifierKey };
    case 'checkpoint':
      return { type: line.type, note: line.note };
    case 'consistency':
      return { type: line.type, from: line.from, to: line.to, hashes: line.hashes.map(encodeBase64) };
    case 'nodes':
      return { type: line.type, nodes: line.nodes.map(nodeMembers) };
    case 'policy':
    case 'client_key':
    case 'signing_key':
      return { ...line.members, type: line.type };
    case 'end':
      return { type: line.type, lines: line.lines };
    default:
      return line satisfies never;
  }
}

function headerMembers(header: BundleHeader): JsonObject {
  return {
    tenant_id: header.tenantId,
    origin: header.origin,
    from: header.from,
    to: header.to,
    size: header.size,
    previous_size: header.previousSize,
    exported_at: header.exportedAt,
  };
}

function nodeMembers({ level, index, hash }: TreeNode): JsonValue {
  return { level, index, hash: encodeBase64(hash) };
}
