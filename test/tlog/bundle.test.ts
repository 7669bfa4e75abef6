import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeCanonicalJson, encodeUtf8 } from '../../src/base/index.ts';
import { createNodeNoteSuite } from '../../src/cli/note-suite.ts';
import {
  BUNDLE_LIMITS,
  type BundleExpectations,
  type BundleLine,
  type BundleVerdict,
  describeVerdict,
  type EpochCheckpoint,
  encodeBundleLine,
  parseBundleLine,
  readHeldCheckpoint,
  verifyBundle,
} from '../../src/tlog/index.ts';
import {
  asLines,
  auditId,
  EXPORTED_AT,
  FixtureLog,
  LogKeys,
  OTHER_TENANT,
  TENANT,
  transcriptOf,
} from './log-fixture.ts';
import { hasher } from './naive-tree.ts';

const suite = createNodeNoteSuite();
const keys = new LogKeys('log');
const log = new FixtureLog(keys).append(24);
const history = [
  { type: 'policy', members: { integration_id: 'int_x', operations: ['get_ticket'], at: EXPORTED_AT } },
  { type: 'client_key', members: { key_id: 'key_x', status: 'ACTIVE' } },
  { type: 'signing_key', members: { kid: 'x', status: 'RETIRED' } },
] as const;

const verify = (lines: readonly string[], known?: BundleExpectations): Promise<BundleVerdict> =>
  verifyBundle(suite, asLines(lines), known);

async function hold(lines: readonly string[]): Promise<EpochCheckpoint> {
  const verdict = await readHeldCheckpoint(suite, asLines(lines));
  if (verdict.kind === 'REFUSED') throw new TypeError(`The bundle was refused: ${verdict.failure.code}`);
  return verdict.held;
}

function failureOf(verdict: BundleVerdict) {
  return verdict.kind === 'REFUSED' ? verdict.failure : { code: 'PROVEN' };
}

/** The facts of a verdict in short. */
function factsOf(verdict: BundleVerdict): readonly string[] {
  return verdict.facts.map((fact) => fact.fact);
}

function bend(lines: readonly BundleLine[], change: (line: BundleLine, at: number) => BundleLine | null) {
  return lines.flatMap((line, at) => change(line, at) ?? []).map(encodeBundleLine);
}

describe('A bundle', () => {
  test('proves every run of events of the log, to a verifier who knows nothing', async () => {
    for (const [from, to, size] of [
      [0, 24, 24],
      [0, 0, 24],
      [0, 0, 0],
      [23, 24, 24],
      [5, 5, 24],
      [5, 17, 21],
      [8, 16, 16],
      [1, 2, 3],
    ] as const) {
      const verdict = await verify(log.bundle({ from, to, size }));
      expect(verdict).toMatchObject({ kind: 'PROVEN', header: { from, to, size, tenantId: TENANT } });
      expect(verdict.facts.slice(1)).toEqual(from < to ? [{ fact: 'COMPLETE', range: { from, to } }] : []);
    }
  });

  test('is told by its keys: first used, named by the verifier, or held from before', async () => {
    const trusts = async (known: BundleExpectations): Promise<unknown> => {
      const [signed] = (await verify(log.bundle(), known)).facts;
      return signed?.fact === 'SIGNED' ? signed.signers.map(({ type, trust }) => `${type} ${trust}`) : null;
    };
    const [ed25519, mlDsa65] = keys.verifiers(log.origin);
    const held = await hold(log.bundle({ size: 9 }));
    expect(await trusts({})).toEqual(['ED25519 FIRST_USE', 'ML_DSA_65 FIRST_USE']);
    expect(await trusts({ held })).toEqual(['ED25519 PREVIOUS', 'ML_DSA_65 PREVIOUS']);
    expect(await trusts({ pins: [ed25519, mlDsa65] })).toEqual(['ED25519 PINNED', 'ML_DSA_65 PINNED']);
    expect(await trusts({ pins: [mlDsa65] })).toEqual(['ED25519 FIRST_USE', 'ML_DSA_65 PINNED']);
    expect(await trusts({ pins: [mlDsa65], held })).toEqual(['ED25519 PREVIOUS', 'ML_DSA_65 PINNED']);
  });

  test('is refused when signed by others than the keys that are known', async () => {
    const stranger = new FixtureLog(new LogKeys('stranger')).append(24);
    const [ed25519] = keys.verifiers(log.origin);
    expect(await verify(stranger.bundle())).toMatchObject({ kind: 'PROVEN' });
    expect(failureOf(await verify(stranger.bundle(), { pins: [ed25519] })).code).toBe('KEY_NOT_PINNED');
    const held = await hold(log.bundle({ size: 9 }));
    expect(failureOf(await verify(stranger.bundle(), { held })).code).toBe('KEY_CHANGED');
    const pins = new LogKeys('stranger').verifiers(log.origin);
    expect(failureOf(await verify(log.bundle(), { pins })).code).toBe('KEY_NOT_PINNED');
  });

  test('of another tenant than what is known is refused', async () => {
    const other = new FixtureLog(keys, { tenantId: OTHER_TENANT }).append(3);
    const held = await hold(other.bundle());
    expect(failureOf(await verify(log.bundle(), { held })).code).toBe('OTHER_LOG');
    expect(failureOf(await verify(log.bundle(), { pins: keys.verifiers(other.origin) })).code).toBe(
      'OTHER_LOG',
    );
    const answer = { tenantId: OTHER_TENANT, auditEventId: auditId(3), transcriptSha256: transcriptOf(3) };
    expect(failureOf(await verify(log.bundle(), { answer })).code).toBe('OTHER_LOG');
  });

  test('holds history that nothing proves, and says so', async () => {
    const verdict = await verify(log.bundle({ history }));
    expect(verdict).toMatchObject({ kind: 'PROVEN', unproven: { historyLines: 3 } });
    expect(describeVerdict(verdict).notProven.join('\n')).toMatch(
      /history .*lines: 3.* no signature covers it/,
    );
  });

  test('is read line by line as it was written', () => {
    for (const hasHashes of [true, false]) {
      for (const line of log.bundleLines({ from: 3, previousSize: 9, history, hasHashes })) {
        expect(parseBundleLine(encodeBundleLine(line))).toEqual(line);
      }
    }
  });
});

function alteredLeaf(leaf: Uint8Array): Uint8Array<ArrayBuffer> {
  const members = JSON.parse(new TextDecoder().decode(leaf));
  return encodeCanonicalJson({ ...members, outcome: 'DENIED' });
}

describe('A bundle that was tampered with', () => {
  const lines = log.bundleLines({ from: 4, to: 20, previousSize: 9, history });
  const texts = lines.map(encodeBundleLine);
  const firstEvent = texts.findIndex((text) => text.includes('"event"'));

  test('is refused with any line left out, said twice, exchanged with the next, or added behind', async () => {
    const isHistory = (at: number): boolean => history.some(({ type }) => type === lines[at]?.type);
    for (const [at, text] of texts.entries()) {
      const without = await verify(texts.toSpliced(at, 1));
      expect([at, without.kind]).toEqual([at, 'REFUSED']);
      const twice = await verify(texts.toSpliced(at, 0, text));
      expect([at, twice.kind]).toEqual([at, 'REFUSED']);
      const next = texts[at + 1];
      const isKeyOrder = lines[at]?.type === 'log_key' && lines[at + 1]?.type === 'log_key';
      if (next !== undefined && !isKeyOrder && !(isHistory(at) && isHistory(at + 1))) {
        const swapped = await verify(texts.with(at, next).with(at + 1, text));
        expect([at, swapped.kind]).toEqual([at, 'REFUSED']);
      }
      expect(failureOf(await verify([...texts, text])).code).toBe('MALFORMED');
    }
  });

  test('is refused with any character of it changed, but for the time of export and the history', async () => {
    const free = new Set(['policy', 'client_key', 'signing_key']);
    const bent = lines.flatMap((line, at) => (free.has(line.type) ? [] : [at]));
    const pick = fc
      .constantFrom(...bent)
      .chain((at) => fc.tuple(fc.constant(at), fc.nat((texts[at]?.length ?? 1) - 1)));
    await fc.assert(
      fc.asyncProperty(pick, fc.constantFrom(...'A9z/+=" ,:{}\\n'), async ([at, place], character) => {
        const text = texts[at] as string;
        const time = text.indexOf(EXPORTED_AT);
        fc.pre(text[place] !== character);
        fc.pre(time < 0 || place < time || place >= time + EXPORTED_AT.length);
        const changed = text.slice(0, place) + character + text.slice(place + 1);
        expect((await verify(texts.with(at, changed))).kind).toBe('REFUSED');
      }),
      { numRuns: 400 },
    );
  });

  test('names the first index that is missing', async () => {
    for (let index = 4; index < 20; index += 1) {
      const without = texts.toSpliced(firstEvent + index - 4, 1);
      expect(failureOf(await verify(without))).toMatchObject({ code: 'INDEX_GAP', brokenIndex: index });
      const cut = texts.slice(0, firstEvent + index - 4);
      expect(failureOf(await verify(cut))).toMatchObject({ code: 'TRUNCATED', brokenIndex: index });
    }
    expect(failureOf(await verify(texts.slice(0, -1)))).toMatchObject({
      code: 'TRUNCATED',
      brokenIndex: null,
    });
  });

  test('names the first event that stands elsewhere than it was logged, however the lines are numbered', async () => {
    const leafAt = (index: number) => log.leaves[index] ?? new Uint8Array(0);
    const swapped = bend(lines, (line) => {
      if (line.type !== 'event') return line;
      const index = line.index === 7 ? 9 : line.index === 9 ? 7 : line.index;
      return { ...line, leaf: leafAt(index) };
    });
    expect(failureOf(await verify(swapped))).toMatchObject({ code: 'LEAF_MISPLACED', brokenIndex: 7 });
    const inserted = bend(lines, (line) =>
      line.type === 'event' && line.index >= 11 ? { ...line, leaf: leafAt(line.index - 1) } : line,
    );
    expect(failureOf(await verify(inserted))).toMatchObject({ code: 'LEAF_MISPLACED', brokenIndex: 11 });
  });

  test('names the event that is of another tenant, or no canonical JSON', async () => {
    const put = (index: number, leaf: Uint8Array<ArrayBuffer>) =>
      bend(lines, (line) => (line.type === 'event' && line.index === index ? { ...line, leaf } : line));
    const own = JSON.parse(new TextDecoder().decode(log.leaves[12]));
    const foreign = encodeCanonicalJson({ ...own, tenantId: OTHER_TENANT });
    expect(failureOf(await verify(put(12, foreign)))).toMatchObject({
      code: 'LEAF_FOREIGN',
      brokenIndex: 12,
    });
    for (const leaf of [
      encodeUtf8(JSON.stringify(own, null, 1)),
      encodeUtf8(`{"zz":1,${JSON.stringify(own).slice(1)}`),
      encodeUtf8('[]'),
      encodeUtf8('null'),
      encodeUtf8('{}'),
      encodeUtf8(`{"a":${'['.repeat(200_000)}`),
      encodeUtf8(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`),
      Uint8Array.of(0xff),
      new Uint8Array(0),
      encodeCanonicalJson({ ...own, index: 12.5 }),
      encodeCanonicalJson({ ...own, id: 'x' }),
    ]) {
      const failure = failureOf(await verify(put(12, leaf)));
      expect(failure).toMatchObject({ code: 'LEAF_NOT_CANONICAL', brokenIndex: 12 });
    }
  });

  test('names the event that was altered in place, by the hash beside it', async () => {
    for (const index of [4, 11, 19]) {
      const altered = bend(lines, (line) =>
        line.type === 'event' && line.index === index ? { ...line, leaf: alteredLeaf(line.leaf) } : line,
      );
      expect(failureOf(await verify(altered))).toMatchObject({ code: 'LEAF_ALTERED', brokenIndex: index });
      const hashed = bend(lines, (line) =>
        line.type === 'event' && line.index === index ? { ...line, hash: new Uint8Array(32) } : line,
      );
      expect(failureOf(await verify(hashed))).toMatchObject({ code: 'LEAF_ALTERED', brokenIndex: index });
    }
  });

  test('is refused as a whole where the hash was altered as well or is not there, and more closely by what is known of earlier', async () => {
    const altered = (index: number, request = {}) =>
      bend(log.bundleLines({ ...request, hasHashes: index % 4 === 0 }), (line) => {
        if (line.type !== 'event' || line.index !== index) return line;
        const leaf = alteredLeaf(line.leaf);
        return line.hash === undefined ? { ...line, leaf } : { ...line, leaf, hash: hasher.hashLeaf(leaf) };
      });
    const mismatch = { code: 'ROOT_MISMATCH', brokenIndex: null };
    expect(failureOf(await verify(altered(6)))).toMatchObject({ ...mismatch, range: { from: 0, to: 24 } });
    const held = await hold(log.bundle({ size: 10 }));
    expect(failureOf(await verify(altered(6), { held }))).toMatchObject({ range: { from: 0, to: 10 } });
    expect(failureOf(await verify(altered(16), { held }))).toMatchObject({ range: { from: 10, to: 24 } });
    const two = altered(10, { from: 5, previousSize: 11 });
    expect(failureOf(await verify(two, { held }))).toMatchObject({
      ...mismatch,
      code: 'ROOT_MISMATCH',
      brokenIndex: 10,
    });
  });

  test('is refused with nodes that are not those of the events', async () => {
    const more = bend(lines, (line) =>
      line.type === 'nodes' ? { ...line, nodes: line.nodes.slice(1) } : line,
    );
    expect(failureOf(await verify(more)).code).toBe('WRONG_NODES');
    const other = bend(lines, (line) =>
      line.type === 'nodes'
        ? { ...line, nodes: line.nodes.map((node) => ({ ...node, hash: new Uint8Array(32) })) }
        : line,
    );
    expect(failureOf(await verify(other)).code).toBe('ROOT_MISMATCH');
  });

  test('is refused with a checkpoint of another size, log or key, or signed in another context', async () => {
    const put = (note: string) => {
      let isDone = false;
      return bend(lines, (line) => {
        if (line.type !== 'checkpoint' || isDone) return line;
        isDone = true;
        return { ...line, note };
      });
    };
    const codeOf = async (note: string) => failureOf(await verify(put(note))).code;
    const text = log.checkpoint().split('\n\n')[0] ?? '';
    expect(await codeOf(log.checkpoint(23))).toBe('OTHER_CHECKPOINT');
    expect(await codeOf(new FixtureLog(keys, { tenantId: OTHER_TENANT }).append(24).checkpoint())).toBe(
      'NOT_SIGNED',
    );
    expect(await codeOf(new LogKeys('stranger').sign(log.origin, `${text}\n`))).toBe('NOT_SIGNED');
    expect(await codeOf(keys.sign(log.origin, `${text}\n`, encodeUtf8('sealdesk/envelope/v1')))).toBe(
      'NOT_SIGNED',
    );
    const [, body = ''] = log.checkpoint().split('\n\n');
    const [ed25519 = '', mlDsa65 = ''] = body.split('\n');
    expect(await codeOf(`${text}\n\n${ed25519}\n`)).toBe('NOT_SIGNED');
    expect(await codeOf(`${text}\n\n${mlDsa65}\n`)).toBe('NOT_SIGNED');
    const witnessed = `${text}\n\n${ed25519}\n${mlDsa65}\n\u2014 witness.example AAAAAAAA\n`;
    expect((await verify(put(witnessed))).kind).toBe('PROVEN');
  });

  test('is refused where it goes beyond the limits', async () => {
    const key = texts[1] as string;
    const many = texts.toSpliced(2, 0, ...Array.from({ length: BUNDLE_LIMITS.maxKeys }, () => key));
    expect(failureOf(await verify(many)).code).toBe('MALFORMED');
    const long = texts.with(0, `${texts[0]}${' '.repeat(BUNDLE_LIMITS.maxLine)}`);
    expect(failureOf(await verify(long))).toMatchObject({ code: 'MALFORMED', line: 1 });
    expect(() =>
      encodeBundleLine({ type: 'event', index: 0, leaf: new Uint8Array(BUNDLE_LIMITS.maxLine) }),
    ).toThrow(RangeError);
    const nested = (levels: number): string =>
      `{"a":${'['.repeat(levels)}${']'.repeat(levels)},"type":"policy"}`;
    expect(parseBundleLine(nested(15))).not.toBeNull();
    for (const levels of [16, 1_000, 500_000]) expect(parseBundleLine(nested(levels)) === null).toBe(true);
  });

  test('is let go of where reading it was stopped', async () => {
    let isClosed = false;
    const source = (async function* () {
      try {
        for (;;) yield '';
      } finally {
        isClosed = true;
      }
    })();
    expect((await verifyBundle(suite, source)).kind).toBe('REFUSED');
    expect(isClosed).toBe(true);
  });

  test('is refused whatever else it is', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string(), fc.json(), fc.constantFrom(...texts)), { maxLength: 8 }),
        async (any) => {
          expect((await verify(any)).kind).toBe('REFUSED');
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('A bundle held against one from before', () => {
  test('proves that the log extends it, from its events where they pass the size, else from its proof', async () => {
    for (const previousSize of [0, 1, 7, 8, 16, 23, 24]) {
      const held = await hold(log.bundle({ size: previousSize }));
      for (const from of [0, 7, 8, 20]) {
        const verdict = await verify(log.bundle({ from, previousSize, hasEarlier: false }), { held });
        expect(verdict.kind).toBe('PROVEN');
        expect(verdict.facts).toContainEqual({ fact: 'EXTENDS', size: previousSize, heldBy: 'VERIFIER' });
      }
    }
  });

  test('needs no proof where its events begin at or before the size', async () => {
    const held = await hold(log.bundle({ size: 10 }));
    expect((await verify(log.bundle({ from: 10 }), { held })).kind).toBe('PROVEN');
    expect((await verify(log.bundle({ from: 3 }), { held })).kind).toBe('PROVEN');
    const later = await verify(log.bundle({ from: 12 }), { held });
    expect(failureOf(later).code).toBe('NOT_COMPARABLE');
    const named = await verify(log.bundle({ from: 12, previousSize: 9 }), { held });
    expect(failureOf(named).code).toBe('NOT_COMPARABLE');
  });

  test('is proven by the earlier checkpoint that it brings along, too', async () => {
    const verdict = await verify(log.bundle({ from: 12, previousSize: 10 }));
    expect(verdict.facts).toContainEqual({ fact: 'EXTENDS', size: 10, heldBy: 'BUNDLE' });
    const unused = await verify(log.bundle({ from: 12, previousSize: 10, hasEarlier: false }));
    expect(unused).toMatchObject({ kind: 'PROVEN', unproven: { hasUnusedProof: true } });
  });

  test('is refused where it brings along a checkpoint that a stranger signed', async () => {
    const stranger = new FixtureLog(new LogKeys('stranger')).append(10);
    const strange = stranger.verifierKeys().map((verifierKey) => ({ type: 'log_key', verifierKey }) as const);
    let notes = 0;
    const lines = log.bundleLines({ from: 12, previousSize: 10 }).flatMap((line): BundleLine[] => {
      if (line.type === 'end') return [{ ...line, lines: line.lines + 2 }];
      if (line.type !== 'checkpoint') return [line];
      notes += 1;
      return notes === 1 ? [...strange, line] : [{ ...line, note: stranger.checkpoint() }];
    });
    const strangely = lines.map(encodeBundleLine);
    expect(failureOf(await verify(strangely)).code).toBe('EARLIER_KEY');
    const pins = [...keys.verifiers(log.origin), ...new LogKeys('stranger').verifiers(log.origin)];
    expect(failureOf(await verify(strangely, { pins })).code).toBe('PROVEN');
  });

  test('is refused where the log was rewritten, however well it is signed', async () => {
    const rewritten = new FixtureLog(keys).append(6).append(1, { outcome: 'DENIED' }).append(17);
    for (const size of [7, 8, 24]) {
      const held = await hold(log.bundle({ size }));
      for (const request of [
        {},
        { from: 8, previousSize: size, hasEarlier: false },
        { from: 20, previousSize: size },
      ]) {
        const failure = failureOf(await verify(rewritten.bundle(request), { held }));
        expect(failure).toMatchObject({ code: 'REWRITTEN', range: { from: 0, to: size } });
      }
    }
    const held = await hold(log.bundle({ size: 6 }));
    expect((await verify(rewritten.bundle(), { held })).kind).toBe('PROVEN');
  });

  test('is refused where the log became smaller', async () => {
    const held = await hold(log.bundle());
    expect(failureOf(await verify(log.bundle({ size: 23 }), { held })).code).toBe('SHRUNK');
  });

  test('is refused where its proof contradicts its own events', async () => {
    const lines = log.bundleLines({ previousSize: 10 });
    const bent = bend(lines, (line) =>
      line.type === 'consistency' ? { ...line, hashes: line.hashes.toReversed() } : line,
    );
    expect(failureOf(await verify(bent)).code).toBe('WRONG_PROOF');
  });

  test('is not compared with a bundle whose checkpoint does not hold', async () => {
    const texts = log.bundle().map((text) => text.replace('"size":24', '"size":25'));
    const verdict = await readHeldCheckpoint(suite, asLines(texts));
    expect(verdict).toMatchObject({ kind: 'REFUSED', failure: { code: 'OTHER_CHECKPOINT' } });
  });
});

describe('A bundle of a log that was restored', () => {
  const restored = log.restored(15).append(4);
  const held = () => hold(log.bundle());
  const heldBefore = () => hold(log.bundle({ size: 12 }));

  test('is accepted with the event that ends the epoch before, and says loudly what that means', async () => {
    const verdict = await verify(restored.bundle(), { held: await heldBefore() });
    expect(factsOf(verdict)).toEqual(['SIGNED', 'COMPLETE', 'RESTORED', 'EXTENDS']);
    const words = describeVerdict(verdict);
    expect(words.alarms).toEqual([
      expect.stringMatching(/index 15 ends epoch 1, of which 24 events .*may be lost/),
    ]);
    const lost = await verify(restored.bundle(), { held: await held() });
    expect(factsOf(lost)).toEqual(['SIGNED', 'COMPLETE', 'RESTORED', 'LOST']);
    expect(describeVerdict(lost).alarms.join('\n')).toMatch(/does NOT begin with the 24 events/);
  });

  test('is refused without that event', async () => {
    const silent = new FixtureLog(keys, { epoch: 2 }).append(30);
    const failure = failureOf(await verify(silent.bundle(), { held: await heldBefore() }));
    expect(failure.code).toBe('EPOCH_NOT_EXPLAINED');
    const later = await verify(restored.bundle({ from: 16, previousSize: 12 }), { held: await heldBefore() });
    expect(failureOf(later).code).toBe('EPOCH_NOT_EXPLAINED');
    const pins = keys.verifiers(log.origin);
    expect(failureOf(await verify(silent.bundle(), { pins })).code).toBe('EPOCH_NOT_EXPLAINED');
    expect((await verify(silent.bundle(), { pins: keys.verifiers(silent.origin) })).kind).toBe('PROVEN');
  });

  test('needs the event that ends the epoch that is known, whichever epoch it opened', async () => {
    const again = restored.restored(18);
    const twice = await verify(again.bundle(), { held: await heldBefore() });
    expect(factsOf(twice).filter((fact) => fact === 'RESTORED')).toHaveLength(2);
    const later = new FixtureLog(keys, { epoch: 3 }).append(15);
    later.append(1, { action: 'audit.accept-restore', restore: restored.asEnded() });
    const failure = failureOf(await verify(later.bundle(), { held: await heldBefore() }));
    expect(failure.code).toBe('EPOCH_NOT_EXPLAINED');
    expect((await verify(later.bundle(), { held: await hold(restored.bundle({ size: 10 })) })).kind).toBe(
      'PROVEN',
    );
  });

  test('is refused where the event says another end than the one that was signed', async () => {
    const ended = { ...log.asEnded(), root: transcriptOf(0) };
    const other = new FixtureLog(keys, { epoch: 2 }).append(15);
    other.append(1, { action: 'audit.accept-restore', restore: ended });
    const failure = failureOf(await verify(other.bundle(), { held: await held() }));
    expect(failure).toMatchObject({ code: 'REWRITTEN', range: { from: 0, to: 24 } });
    expect((await verify(other.bundle(), { held: await heldBefore() })).kind).toBe('PROVEN');
  });

  test('is not explained by an event that failed, or says no epoch, or is of another kind', async () => {
    const restore = log.asEnded();
    for (const members of [
      { action: 'audit.accept-restore', restore, outcome: 'DENIED' },
      { action: 'audit.accept-restore', restore: { ...restore, epoch: '1' } },
      { action: 'audit.accept-restore', restore: { ...restore, root: 'AAAA' } },
      { action: 'audit.accept-restore', restore: { ...restore, size: -1 } },
      { action: 'audit.accept-restore', restore: null },
      { action: 'audit.accept-restore' },
      { action: 'audit.export', restore },
    ]) {
      const other = new FixtureLog(keys, { epoch: 2 }).append(15).append(1, members);
      const failure = failureOf(await verify(other.bundle(), { held: await heldBefore() }));
      expect(failure.code).toBe('EPOCH_NOT_EXPLAINED');
    }
  });

  test('is told from the epoch before it', async () => {
    const newer = await hold(restored.bundle());
    expect(failureOf(await verify(log.bundle(), { held: newer })).code).toBe('OLDER_EPOCH');
  });
});

describe('A receipt', () => {
  const answer = { tenantId: TENANT, auditEventId: auditId(13), transcriptSha256: transcriptOf(13) };

  test('leads to the event that lists the answer', async () => {
    const verdict = await verify(log.bundle({ from: 10, to: 15 }), { answer });
    expect(verdict.facts).toContainEqual({ fact: 'LOGGED', auditEventId: auditId(13), index: 13 });
  });

  test('is refused where the event lists other answers, or is not in the bundle', async () => {
    const other = { ...answer, transcriptSha256: transcriptOf(14) };
    const failure = failureOf(await verify(log.bundle(), { answer: other }));
    expect(failure).toMatchObject({ code: 'RECEIPT_NOT_LISTED', brokenIndex: 13 });
    const part = await verify(log.bundle({ from: 14 }), { answer });
    expect(failureOf(part).code).toBe('RECEIPT_NOT_FOUND');
  });
});

describe('A verdict in words', () => {
  test('says for every failure what it means and where, and for none that anything is certain', async () => {
    const verdict = await verify(log.bundle({ from: 3 }));
    const { proven, notProven, failure } = describeVerdict(verdict);
    expect(proven.join('\n')).toMatch(/events 3 to 23 are in that log/);
    expect(notProven.join('\n')).toMatch(/Whose keys these are.*\n.*of 3 events only hashes.*\n/s);
    expect(notProven.join('\n')).toMatch(/operator logged everything/);
    expect(failure).toBeNull();
  });
});
