/**
 * Reading a line of a bundle: whatever is not exactly what the encoder writes is refused, which rules
 * out unknown members, members said twice and other spellings. Bounds only; nothing is verified here.
 */
import { type Bytes, isId, type JsonObject, parseBase64 } from '../../base/index.ts';
import { type Members, parseCanonicalObject } from '../canonical-object.ts';
import { HASH_SIZE } from '../hasher.ts';
import { parseOrigin } from '../origin.ts';
import { isSize, type TreeNode } from '../perfect-nodes.ts';
import {
  BUNDLE_LIMITS,
  type BundleHeader,
  type BundleLine,
  EVENT_FORM,
  type EventLine,
  encodeBundleLine,
  HISTORY_TYPES,
} from './bundle-line.ts';

/** Of the base64 of a hash. */
const HASH_CHARACTERS = 4 * Math.ceil(HASH_SIZE / 3);
const EVENT_BEGIN_WITH_HASH = EVENT_FORM.hash.length + HASH_CHARACTERS + EVENT_FORM.afterHash.length;

/** The line in `text` (without its line end), or `null` unless it is canonical. */
export function parseBundleLine(text: string): BundleLine | null {
  if (text.length > BUNDLE_LIMITS.maxLine) return null;
  if (text.endsWith(EVENT_FORM.end)) return parseEvent(text);
  const members = parseCanonicalObject(text);
  const line = members === null ? null : readLine(members);
  // Encoding it again shows members that the line must not have.
  return line !== null && encodeBundleLine(line) === text ? line : null;
}

/** Taken apart by hand, since a bundle has millions of them: what stands between is canonical by itself. */
function parseEvent(text: string): EventLine | null {
  const hash = text.startsWith(EVENT_FORM.hash) ? readEventHash(text) : undefined;
  const begin = hash === undefined ? EVENT_FORM.begin.length : EVENT_BEGIN_WITH_HASH;
  const middle = text.indexOf(EVENT_FORM.middle, begin);
  if (hash === null || middle < 0) return null;
  if (hash === undefined && !text.startsWith(EVENT_FORM.begin)) return null;
  const digits = text.slice(begin, middle);
  const leaf = parseBase64(text.slice(middle + EVENT_FORM.middle.length, -EVENT_FORM.end.length));
  const index = Number(digits);
  if (leaf === null || !isSize(index) || String(index) !== digits) return null;
  return { type: 'event', index, leaf, ...(hash === undefined ? {} : { hash }) };
}

function readEventHash(text: string): Bytes | null {
  const end = EVENT_FORM.hash.length + HASH_CHARACTERS;
  return text.startsWith(EVENT_FORM.afterHash, end)
    ? readHash(text.slice(EVENT_FORM.hash.length, end))
    : null;
}

function readLine(members: Members): BundleLine | null {
  const { type } = members;
  switch (type) {
    case 'bundle': {
      const header = readHeader(members);
      return header === null ? null : { type, header };
    }
    case 'log_key': {
      const { verifier_key: verifierKey } = members;
      return typeof verifierKey === 'string' ? { type, verifierKey } : null;
    }
    case 'checkpoint': {
      const { note } = members;
      return typeof note === 'string' ? { type, note } : null;
    }
    case 'consistency': {
      const { from, to } = members;
      const hashes = readList(members['hashes'], readHash);
      return isSize(from) && isSize(to) && hashes !== null ? { type, from, to, hashes } : null;
    }
    case 'nodes': {
      const nodes = readList(members['nodes'], readNode);
      return nodes === null ? null : { type, nodes };
    }
    case 'end': {
      const { lines } = members;
      return isSize(lines) ? { type, lines } : null;
    }
    default:
      return readHistory(members);
  }
}

function readHistory({ type, ...members }: Members): BundleLine | null {
  const known = HISTORY_TYPES.find((one) => one === type);
  return known === undefined ? null : { type: known, members: members as JsonObject };
}

function readHeader(members: Members): BundleHeader | null {
  const { tenant_id: tenantId, origin, from, to, size, exported_at: exportedAt } = members;
  const previousSize = members['previous_size'];
  if (members['version'] !== 1 || !isId('tenant', tenantId)) return null;
  if (typeof origin !== 'string' || parseOrigin(origin)?.tenantId !== tenantId) return null;
  if (!isSize(from) || !isSize(to) || !isSize(size) || from > to || to > size) return null;
  if (previousSize !== null && (!isSize(previousSize) || previousSize > size)) return null;
  if (typeof exportedAt !== 'string' || !isCanonicalTime(exportedAt)) return null;
  return { tenantId, origin, from, to, size, previousSize, exportedAt };
}

function readNode(value: unknown): TreeNode | null {
  if (!isObject(value)) return null;
  const { level, index } = value;
  const hash = readHash(value['hash']);
  return isSize(level) && isSize(index) && hash !== null ? { level, index, hash } : null;
}

function readHash(value: unknown): Bytes | null {
  const hash = typeof value === 'string' ? parseBase64(value) : null;
  return hash?.length === HASH_SIZE ? hash : null;
}

/** The items of `value`, none of them refused by `read`; or `null`. */
function readList<Item>(value: unknown, read: (item: unknown) => Item | null): readonly Item[] | null {
  if (!Array.isArray(value) || value.length > BUNDLE_LIMITS.maxHashes) return null;
  const items = value.map(read).filter((item) => item !== null);
  return items.length === value.length ? items : null;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCanonicalTime(text: string): boolean {
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
}
