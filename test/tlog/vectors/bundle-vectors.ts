/**
 * Bundles: those that hold, and each way in which one does not. A bad one is written as splices of the
 * lines of a good one: `[first line from 0, lines to take out, lines to put in…]`, in this order.
 */
import {
  encodeBase64,
  encodeCanonicalJson,
  type JsonObject,
  type JsonValue,
} from '../../../src/base/index.ts';
import { encodeBundleLine, HISTORY_TYPES } from '../../../src/tlog/index.ts';
import { auditId, EXPORTED_AT, FixtureLog, LogKeys, OTHER_TENANT, transcriptOf } from '../log-fixture.ts';
import { hasher } from '../naive-tree.ts';

type Splice = readonly [number, number, ...string[]];

export function createBundleVectors(keys: LogKeys): JsonObject {
  const log = new FixtureLog(keys).append(9);
  const history = HISTORY_TYPES.map(
    (type) => ({ type, members: { at: EXPORTED_AT, note: 'history' } }) as const,
  );
  const part = { from: 3, size: 8, previousSize: 2 };
  const good = log.bundle({ ...part, history });
  return {
    valid: [
      { name: 'the whole log', lines: log.bundle(), proves: { from: 0, to: 9 } },
      {
        name: 'events that do not say their hashes',
        lines: log.bundle({ size: 3, hasHashes: false }),
        proves: { from: 0, to: 3 },
      },
      { name: 'the empty log', lines: log.bundle({ size: 0 }), proves: null },
      { name: 'a part, with history and a previous size', lines: good, proves: { from: 3, to: 8 } },
      {
        name: 'a log that was restored, in its second epoch',
        lines: log.restored(4).append(2).bundle(),
        proves: { from: 0, to: 7 },
      },
    ],
    held: createHeldVectors(log),
    invalid: { lines: good, cases: createBadBundles(log, good) },
    answers: {
      lines: log.bundle(),
      logged: { tenant_id: log.tenantId, audit_event_id: auditId(4), transcript_sha256: transcriptOf(4) },
      not_logged: [
        { tenant_id: log.tenantId, audit_event_id: auditId(4), transcript_sha256: transcriptOf(5) },
        { tenant_id: log.tenantId, audit_event_id: auditId(40), transcript_sha256: transcriptOf(4) },
        { tenant_id: OTHER_TENANT, audit_event_id: auditId(4), transcript_sha256: transcriptOf(4) },
      ],
    },
  };
}

/** Bundles against the checkpoint of one from before. */
function createHeldVectors(log: FixtureLog): readonly JsonObject[] {
  const rewritten = new FixtureLog(log.keys).append(2).append(1, { outcome: 'DENIED' }).append(6);
  const stranger = new FixtureLog(new LogKeys('stranger')).append(9);
  const previous = log.bundle({ size: 5 });
  const whole = log.bundle();
  return [
    { name: 'by its events', previous, lines: whole, holds: true },
    { name: 'by its proof', previous, lines: log.bundle({ from: 7, previousSize: 5 }), holds: true },
    { name: 'the same size', previous: whole, lines: whole, holds: true },
    { name: 'restored, and nothing lost', previous, lines: log.restored(6).bundle(), holds: true },
    { name: 'restored, and events lost', previous: whole, lines: log.restored(6).bundle(), holds: true },
    { reason: 'rewritten', previous, lines: rewritten.bundle(), holds: false },
    {
      reason: 'rewritten, by its proof',
      previous,
      lines: rewritten.bundle({ from: 7, previousSize: 5 }),
      holds: false,
    },
    { reason: 'smaller', previous: whole, lines: previous, holds: false },
    { reason: 'other keys', previous, lines: stranger.bundle(), holds: false },
    { reason: 'nothing leads to it', previous, lines: log.bundle({ from: 6 }), holds: false },
    {
      reason: 'another epoch without its event',
      previous,
      lines: new FixtureLog(log.keys, { epoch: 2 }).append(9).bundle(),
      holds: false,
    },
    { reason: 'an older epoch', previous: log.restored(6).bundle(), lines: whole, holds: false },
  ];
}

function createBadBundles(log: FixtureLog, good: readonly string[]): readonly JsonObject[] {
  const find = (type: string): number => good.findIndex((line) => line.includes(`"type":"${type}"`));
  const at = (index: number): number => find('event') + index - 3;
  const line = (number: number): string => good[number] ?? '';
  const hashOf = (index: number) => log.read({ level: 0, index });
  const eventLine = (index: number, leaf: JsonObject, hash = hashOf(index)): string =>
    encodeBundleLine({ type: 'event', index, leaf: encodeCanonicalJson(leaf), hash });
  const members = (index: number): JsonObject => JSON.parse(new TextDecoder().decode(log.leaves[index]));
  const denied = { ...members(5), outcome: 'DENIED' };
  const raw = (index: number, text: string): string =>
    `{"index":${index},"leaf":"${encodeBase64(new TextEncoder().encode(text))}","type":"event"}`;
  const bad = (reason: string, brokenIndex: number | null, ...splices: Splice[]): JsonObject => ({
    ...{ reason, broken_index: brokenIndex },
    splices: splices as unknown as JsonValue,
  });
  const end = good.length - 1;
  return [
    bad('an event is missing', 5, [at(5), 1]),
    bad('the newest events are missing', 6, [at(6), 2]),
    bad('an event is there twice', 5, [at(5), 0, line(at(4))]),
    bad('two events are exchanged', 4, [at(4), 2, line(at(5)), line(at(4))]),
    bad('two leaves are exchanged', 4, [at(4), 2, eventLine(4, members(5)), eventLine(5, members(4))]),
    bad('an event was altered', 5, [at(5), 1, eventLine(5, denied)]),
    bad('an event was altered, and its hash', null, [
      at(5),
      1,
      eventLine(5, denied, hasher.hashLeaf(encodeCanonicalJson(denied))),
    ]),
    bad('the hash of an event was altered', 5, [at(5), 1, eventLine(5, members(5), hashOf(4))]),
    bad('the hash of an event is cut off', 5, [
      at(5),
      1,
      line(at(5)).replace(/"hash":"[^"]+"/, `"hash":"${encodeBase64(new Uint8Array(31))}"`),
    ]),
    bad('an event is of another tenant', 6, [
      at(6),
      1,
      eventLine(6, { ...members(6), tenantId: OTHER_TENANT }),
    ]),
    bad('a leaf is not canonical', 3, [at(3), 1, raw(3, JSON.stringify(members(3), null, 1))]),
    bad('a leaf is no object', 3, [at(3), 1, raw(3, '[]')]),
    bad('a leaf says a member twice', 3, [
      at(3),
      1,
      raw(3, `{"action":"x",${JSON.stringify(members(3)).slice(1)}`),
    ]),
    bad('a line is not canonical', null, [0, 1, line(0).replace(':', ': ')]),
    bad('a line says more', null, [0, 1, line(0).replace('{', '{"a":1,')]),
    bad('another version', null, [0, 1, line(0).replace('"version":1', '"version":2')]),
    bad('another size', null, [0, 1, line(0).replace('"size":8', '"size":9')]),
    bad('the first line is missing', null, [0, 1]),
    bad('a key is missing', null, [1, 1]),
    bad('a key with another id', null, [1, 1, line(1).replace(/\+[0-9a-f]{8}\+/, '+00000000+')]),
    bad('the checkpoint is of another size', null, [3, 1, checkpointLine(log.checkpoint(7))]),
    bad('the earlier checkpoint is of another size', null, [4, 1, checkpointLine(log.checkpoint(1))]),
    bad('the consistency proof is missing', null, [find('consistency'), 1]),
    bad('the consistency proof is of another size', null, [
      find('consistency'),
      1,
      line(find('consistency')).replace('"from":2', '"from":1'),
    ]),
    bad('a hash of the consistency proof was altered', null, [
      find('consistency'),
      1,
      line(find('consistency')).replace(
        /"hashes":\["[^"]+"/,
        `"hashes":["${encodeBase64(new Uint8Array(32))}"`,
      ),
    ]),
    bad('a node was altered', null, [
      find('nodes'),
      1,
      line(find('nodes')).replace(/"hash":"[^"]+"/, `"hash":"${encodeBase64(new Uint8Array(32))}"`),
    ]),
    bad('nodes are missing', null, [find('nodes'), 1, encodeBundleLine({ type: 'nodes', nodes: [] })]),
    bad('a line of an unknown type', null, [find('policy'), 0, '{"type":"comment"}']),
    bad('the end is missing', null, [end, 1]),
    bad('the end counts other lines', null, [
      end,
      1,
      encodeBundleLine({ type: 'end', lines: good.length - 1 }),
    ]),
    bad('a line behind the end', null, [good.length, 0, line(end)]),
  ];
}

const checkpointLine = (note: string): string => encodeBundleLine({ type: 'checkpoint', note });
