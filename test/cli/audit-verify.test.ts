import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeCanonicalJson, encodeUtf8 } from '../../src/base/index.ts';
import { type BundleLine, encodeBundleLine } from '../../src/tlog/index.ts';
import { createParty, syncSuites } from '../envelope/envelope-fixture.ts';
import { FixtureLog, LogKeys } from '../tlog/log-fixture.ts';
import { hasher } from '../tlog/naive-tree.ts';
import { type Outcome, runHere } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealdesk-audit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const party = await createParty();
const keys = new LogKeys('command line');
const sealed = await party.seal(syncSuites[0], encodeUtf8('{"customer":"text"}'));
const other = await party.seal(syncSuites[0], encodeUtf8('{}'));
const log = new FixtureLog(keys, { tenantId: party.claims.tenant_id })
  .append(30)
  .append(1, {
    id: party.claims.audit_event_id,
    envelopes: [{ keyId: party.claims.recipient_key_id, sha256: sealed.transcriptSha256 }],
  })
  .append(19);

let files = 0;
function write(content: string): string {
  files += 1;
  const file = join(folder, `${files}.file`);
  writeFileSync(file, content);
  return file;
}

const asText = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
const asFile = (lines: readonly string[]): string => write(asText(lines));
const asJson = (value: unknown): string => write(JSON.stringify(value));

function verify(bundle: string, ...options: string[]): Promise<Outcome> {
  return runHere(['audit', 'verify', bundle, ...options]);
}

function bend(change: (line: BundleLine) => BundleLine | null, request = {}): string {
  return asFile(
    log
      .bundleLines(request)
      .flatMap((line) => change(line) ?? [])
      .map(encodeBundleLine),
  );
}

const bundle = asFile(log.bundle());

describe('sealdesk audit verify', () => {
  it('prints what it proved and what it did not, and ends with 0', async () => {
    const { code, stdout, stderr } = await verify(bundle);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(`Log ${log.origin}: events 0 to 49 of 50, exported 2026-11-21T07:00:00.000Z.

Keys of the log:
${log
  .verifierKeys()
  .map(
    (key, at) =>
      `  - ${at === 0 ? 'Ed25519' : 'ML-DSA-65'} key, SHA-256 ${fingerprint(key)}: NOT COMPARED with anything you know`,
  )
  .join('\n')}

Proven:
  - Both keys of the log ${log.origin} signed its checkpoint of 50 events.
  - The events 0 to 49 are in that log, each at its index: none is altered, missing, added or moved.

Not proven:
  - Whose keys these are: they came with the bundle. Compare the fingerprints with the operator by another channel, then name the keys with --key.
  - That this log extends one that you saw before: keep this bundle, and give it as --previous next time.
  - That the operator logged everything: only an answer whose receipt is held against the log is known to be in it.
  - That others were shown the same log: compare its checkpoints with theirs.
  - That times are right: they are those of the clock of the gateway, and the time of the export is not signed.
`);
  });

  it('reads standard input, and files whose lines come in pieces', async () => {
    const input = await runHere(['audit', 'verify', '-'], asText(log.bundle()));
    expect(input).toMatchObject({ code: 0, stderr: '' });
    const many = new FixtureLog(keys, { tenantId: log.tenantId }).append(2_000);
    expect((await verify(asFile(many.bundle()))).code).toBe(0);
  });

  it('compares the keys with those that are named, each by its text or a file of them', async () => {
    const [ed25519, mlDsa65] = log.verifierKeys();
    const pinned = await verify(bundle, '--key', ed25519, '--key', mlDsa65);
    expect(pinned.code).toBe(0);
    expect(pinned.stdout.match(/the key that you named/g)).toHaveLength(2);
    expect(pinned.stdout).not.toMatch(/Whose keys these are/);
    const file = write(`${ed25519}\n${mlDsa65}\n`);
    expect((await verify(bundle, '--key', `@${file}`)).stdout).toBe(pinned.stdout);
    const [stranger] = new FixtureLog(new LogKeys('stranger'), { tenantId: log.tenantId }).verifierKeys();
    expect(await verify(bundle, '--key', stranger)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^sealdesk: REFUSED\. The checkpoint is signed by another key than the one named/,
      ),
    });
  });

  it('proves that the log extends the bundle from before', async () => {
    const previous = asFile(log.bundle({ size: 20 }));
    const { code, stdout } = await verify(
      asFile(log.bundle({ from: 20, previousSize: 20 })),
      '--previous',
      previous,
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/begins with the 20 events that the previous bundle was signed for/);
    expect(stdout.match(/the key of the bundle that you held before/g)).toHaveLength(2);
  });

  it('refuses a log that was rewritten or became smaller since the bundle from before', async () => {
    const rewritten = new FixtureLog(keys, { tenantId: log.tenantId })
      .append(9, { outcome: 'DENIED' })
      .append(41);
    const previous = asFile(log.bundle({ size: 20 }));
    expect(await verify(asFile(rewritten.bundle()), '--previous', previous)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /REFUSED\. The log does not begin with what was signed before.*events 0 to 19\./,
      ),
    });
    expect(await verify(asFile(log.bundle({ size: 10 })), '--previous', previous)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/smaller than the previous bundle/),
    });
    expect(await verify(bundle, '--previous', asFile(['{}']))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^sealdesk: The previous bundle is refused\. .* Line 1 of the bundle\.\n$/,
      ),
    });
  });

  it('says loudly that a log was restored', async () => {
    const restored = log.restored(25).append(5);
    const { code, stdout } = await verify(asFile(restored.bundle()), '--previous', bundle);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /\nATTENTION:\n {2}- The log was restored.*\n {2}- The log does NOT begin with the 50 events/,
    );
    const silent = new FixtureLog(keys, { tenantId: log.tenantId, epoch: 2 }).append(60);
    expect(await verify(asFile(silent.bundle()), '--previous', bundle)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/new epoch, and no event/),
    });
  });

  it('proves that an answer was logged', async () => {
    const receipt = asJson(sealed.envelope);
    const { code, stdout } = await verify(bundle, '--receipt', receipt);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `audit event ${party.claims.audit_event_id} was logged: the event at index 30 lists`,
    );
    const answer = { data: { proxyOutbound: { auditEventId: 'x', envelope: sealed.envelope } } };
    expect((await verify(bundle, '--receipt', asJson(answer))).stdout).toBe(stdout);
    expect(stdout).not.toContain('customer');
  });

  it('refuses an answer that was not logged', async () => {
    expect(await verify(bundle, '--receipt', asJson(other.envelope))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/does not list this envelope\. First broken index: 30\./),
    });
    expect(await verify(asFile(log.bundle({ to: 30 })), '--receipt', asJson(sealed.envelope))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/None of the events of the bundle has the id/),
    });
    expect(await verify(bundle, '--receipt', asJson({ hello: 'world' }))).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^sealdesk: The envelope was not accepted/),
    });
  });

  const tampered: [string, () => string, RegExp][] = [
    [
      'a removed event',
      () => bend((line) => (line.type === 'event' && line.index === 7 ? null : line)),
      /First broken index: 7\. Line 13 /,
    ],
    [
      'removed newest events',
      () => bend((line) => (line.type === 'event' && line.index >= 40 ? null : line)),
      /First broken index: 40\./,
    ],
    [
      'events in another order',
      () =>
        bend((line) =>
          line.type === 'event'
            ? { ...line, leaf: log.leaves[line.index ^ 1] as Uint8Array<ArrayBuffer> }
            : line,
        ),
      /logged at another index\. First broken index: 0\./,
    ],
    [
      'an altered event',
      () =>
        bend((line) => {
          if (line.type !== 'event' || line.index !== 22) return line;
          return { ...line, leaf: alteredLeaf(line.leaf) };
        }),
      /its hash is another\. First broken index: 22\. Line 28 /,
    ],
    [
      'an altered event whose hash was made anew',
      () =>
        bend((line) => {
          if (line.type !== 'event' || line.index !== 22) return line;
          const leaf = alteredLeaf(line.leaf);
          return { ...line, leaf, hash: hasher.hashLeaf(leaf) };
        }),
      /are not those that were signed.* It lies among the events 0 to 49\./,
    ],
    ['an event of another tenant', () => asFile(withForeign()), /another tenant\. First broken index: 3\./],
    ['bytes behind the end', () => write(`${asText(log.bundle())}x`), /Line 57 of the bundle/],
    ['the end cut off', () => write(asText(log.bundle()).slice(0, -1)), /Line 56 of the bundle/],
    ['no bundle at all', () => write('customer text\n'), /Line 1 of the bundle/],
    ['nothing', () => write(''), /cut off/],
    ['bytes that are no text', () => write('\ud800'), /Line 1 of the bundle/],
    ['a line without end', () => write('x'.repeat(3_000_000)), /Line 1 of the bundle/],
    ['other line ends', () => write(asText(log.bundle()).replaceAll('\n', '\r\n')), /Line 1 of the bundle/],
  ];

  function alteredLeaf(leaf: Uint8Array): Uint8Array<ArrayBuffer> {
    const members = JSON.parse(new TextDecoder().decode(leaf));
    return encodeCanonicalJson({ ...members, action: 'query.nothing' });
  }

  function withForeign(): readonly string[] {
    const foreign = new FixtureLog(keys, { tenantId: log.tenantId }).append(3);
    const elsewhere = new FixtureLog(keys).append(4);
    foreign.appendLeaf(elsewhere.leaves[3] as Uint8Array<ArrayBuffer>);
    return foreign.append(2).bundle();
  }

  it.each(tampered)('refuses %s with the place, and nothing of its content', async (_, make, place) => {
    const { code, stdout, stderr } = await verify(make());
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(place) });
    expect(stderr).toMatch(/^sealdesk: REFUSED\. [^\n]*\n$/);
    expect(stdout + stderr).not.toMatch(/customer|query\.nothing|The events .* are in that log/);
  });

  it('ends with 2 where it is used wrongly', async () => {
    for (const args of [
      [],
      [bundle, bundle],
      [bundle, '--key', 'x'],
      [bundle, '--unknown'],
      ['-', '--previous', '-'],
      ['-', '--key', '@-'],
    ]) {
      expect(await runHere(['audit', 'verify', ...args])).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/^sealdesk: [^\n]*audit verify --help\.\n$/),
      });
    }
  });

  it('ends with 1 and one line where a file is not there', async () => {
    const missing = await verify(join(folder, 'none'));
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringMatching(/none: there is no such file/) });
  });

  it('tells of itself and its family', async () => {
    expect((await runHere(['audit', 'verify', '--help'])).stdout).toMatch(
      /--key VERIFIER_KEY +a key of the log/,
    );
    expect((await runHere(['audit', '--help'])).stdout).toMatch(/audit verify +verify an exported part/);
    expect((await runHere(['audit'])).code).toBe(2);
  });
});

function fingerprint(key: string): string {
  return Buffer.from(syncSuites[0].sha256(encodeUtf8(key))).toString('hex');
}
