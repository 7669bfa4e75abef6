/** `sealdesk feed tail` against a gateway that listens, and against one that breaks. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { acceptWelcome, createKeyFile, encodeKeyFile, publicJwkSet } from '../../src/client/index.ts';
import { createNodeSuite } from '../../src/envelope/node.ts';
import { createFakeGateway } from '../client/fake-gateway.ts';
import { changed, FeedLog, snapshot } from '../client/feed/feed-log.ts';
import { type FeedScript, FeedServer } from '../client/feed/feed-server.ts';
import { type LiveGateway, openLiveGateway } from '../client/feed/live-gateway.ts';
import { openLoginKey } from '../support/login.ts';
import { dataOf } from '../support/tenant.ts';
import { CommandUnderWay } from './command-under-way.ts';
import { runHere } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealdesk-tail-'));
const keyFile = join(folder, 'key.json');
const resources = new AsyncDisposableStack();
afterAll(async () => {
  await resources.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

describe('sealdesk feed tail', () => {
  let live: LiveGateway;

  beforeAll(async () => {
    live = resources.use(await openLiveGateway());
    const { tenant, listening } = live;
    writeFileSync(keyFile, encodeKeyFile({ ...tenant.keyFile, gateway: listening.url }), { mode: 0o600 });
  }, 120_000);

  const tail = (...options: string[]): CommandUnderWay =>
    new CommandUnderWay([
      'feed',
      'tail',
      '--key',
      keyFile,
      '--api-key',
      live.tenant.keys.dashboard,
      ...options,
    ]);

  it.each([[[]], [['--sse']]])('prints a line for each change and where to go on, %j', async (options) => {
    const running = tail(...options);
    await running.until(/^sealdesk: Following /);
    const subject = `Größe ${options.length}\u202e`;
    const id = live.createTicket(subject);
    const line = await running.until(/Größe/);
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}#\d+ +new +\S+ {2}Größe \d\ufffd$/);
    expect(line).toContain(`#${id} `);
    expect(await running.interrupt()).toBe(0);
    expect(running.err.at(-1)).toMatch(/^sealdesk: Go on with --after [\w-]+$/);

    const cursor = running.err.at(-1)?.split(' ').at(-1) ?? '';
    const next = live.createTicket('Afterwards');
    const again = tail(...options, '--after', cursor, '--json', '--integration', live.tenant.integrationId);
    const change = JSON.parse(await again.until(/Afterwards/));
    expect(change).toMatchObject({
      content: { kind: 'CHANGED', ticket_id: next, ticket: { subject: 'Afterwards' } },
      cursor: expect.any(String),
      sequence: expect.any(Number),
      auditEventId: expect.stringMatching(/^aud_/),
    });
    expect(again.out[0]).not.toContain('Größe');
    expect(await again.interrupt()).toBe(0);
    expect(again.err.at(-1)).toContain(change.cursor);
  });

  it('needs no API key where the key may log in by itself', async () => {
    const { gateway, url } = live.listening;
    const signed = await openLoginKey(gateway, live.tenant.keys.admin, { roles: ['DASHBOARD'] });
    const file = join(folder, 'signed.json');
    writeFileSync(file, encodeKeyFile(signed), { mode: 0o600 });
    const running = new CommandUnderWay(['feed', 'tail', '--key', file, '--url', url]);
    await running.until(/^sealdesk: Following /);
    live.createTicket('Signed for');
    await running.until(/Signed for$/);
    expect(await running.interrupt()).toBe(0);
  });

  it('says what the gateway refuses', async () => {
    const { tenant, listening } = live;
    const refusal = async (...options: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runHere(['feed', 'tail', '--key', keyFile, ...options]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      return stderr;
    };
    const apiKey = ['--api-key', tenant.keys.dashboard];
    const named = ['--integration', tenant.integrationId];
    expect(await refusal('--api-key', 'sd_live_unknown')).toMatch(/\(UNAUTHENTICATED\)\n$/);
    expect(await refusal('--api-key', 'sd_live_unknown', ...named)).toMatch(/\(UNAUTHENTICATED\)\n$/);
    expect(await refusal('--api-key', tenant.keys.auditor, ...named)).toMatch(/\(FORBIDDEN\)\n$/);
    expect(await refusal(...apiKey, ...named, '--after', 'x')).toMatch(
      /"after" is no cursor .*\(VALIDATION_FAILED\)/,
    );
    expect(await refusal(...apiKey, '--integration', 'x')).toMatch(/"integrationId" is no id/);
    expect(await refusal(...apiKey, ...named, '--url', 'http://gateway.invalid')).toMatch(
      /Nothing was sent: .*--insecure-http/,
    );
    expect(await refusal(...apiKey, '--url', 'http://127.0.0.1:1')).toMatch(/cannot be reached/);

    const { gateway } = listening;
    const create =
      'mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } } }';
    const input = { systemType: 'ZENDESK', config: { subdomain: 'other' }, allowedOperations: [] };
    dataOf(await gateway.graphql(create, { apiKey: tenant.keys.admin, variables: { input } }));
    expect(await refusal(...apiKey)).toMatch(/several integrations: name one with --integration ID/);
  });
});

describe('sealdesk feed tail, where the connection breaks or the stream is altered,', () => {
  const suite = createNodeSuite();
  const fakeKeyFile = join(folder, 'fake.json');
  const gateway = createFakeGateway(suite);
  const server = new FeedServer();
  let log: FeedLog;

  beforeAll(async () => {
    const fresh = createKeyFile(suite);
    const welcome = await gateway.welcome(publicJwkSet(suite, fresh));
    const { keyFile: welcomed } = await acceptWelcome(suite, fresh, welcome);
    writeFileSync(fakeKeyFile, encodeKeyFile(welcomed), { mode: 0o600 });
  });
  afterEach(() => vi.unstubAllGlobals());

  function tail(scripts: FeedScript[], ...options: string[]): CommandUnderWay {
    server.scripts = scripts;
    vi.stubGlobal('WebSocket', server.WebSocket);
    return new CommandUnderWay([
      ...['feed', 'tail'],
      ...['--key', fakeKeyFile, '--api-key', 'k', '--integration', log.integrationId],
      ...['--after', log.cursor(0), ...options],
    ]);
  }

  /** Position and all that follows, honestly. */
  const serve =
    (from: number): FeedScript =>
    async (serving) => {
      serving.send(await log.position(from));
      for (let sequence = from + 1; sequence <= log.end; sequence += 1)
        serving.send(await log.change(sequence));
    };

  it('tells of it, tries again, and shows a gap where there is one', async () => {
    log = new FeedLog(gateway, { now: Date.now });
    log.append(
      {
        ...changed(7),
        ticket: { ...snapshot(7), subject: 'Line 1\nLine 2\u001b[2J', status: 'open' },
      } as never,
      { v: 1, kind: 'GAP', reason: 'NO_ACTIVE_KEY' },
      { v: 1, kind: 'DELETED', ticket_id: 7, permanent: false, changes: ['DELETED'] },
      { v: 1, kind: 'DELETED', ticket_id: 7, permanent: true, changes: [] },
    );
    const running = tail([async (serving) => serving.close(1012), serve(0)]);
    await running.until(/erased/);
    expect(await running.interrupt()).toBe(0);
    const lines = running.out.map((line) => line.slice('2026-01-01T00:00:00Z  '.length));
    expect(lines).toEqual([
      '#7         open      STATUS  Line 1 Line 2\ufffd[2J',
      '#7         deleted   DELETED',
      '#7         erased    -',
    ]);
    expect(running.err).toEqual([
      'sealdesk: The gateway stops. Trying again in 1 s.',
      expect.stringMatching(/^sealdesk: Following int_\w+: 4 changes so far\.$/),
      'sealdesk: Changes may be missing here: for a time there was no active key to seal to (NO_ACTIVE_KEY).',
      `sealdesk: Go on with --after ${log.cursor(4)}`,
    ]);
  });

  it('puts a gap between the lines of JSON', async () => {
    log = new FeedLog(gateway, { now: Date.now });
    log.append(changed(1), { v: 1, kind: 'GAP', reason: 'SOURCE_RESTARTED' }, changed(2));
    const running = tail([serve(0)], '--json');
    await running.until(/"ticket_id":2/);
    await running.interrupt();
    expect(running.out.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ sequence: 1 }),
      { gap: { reason: 'SOURCE_RESTARTED', cursor: log.cursor(2) } },
      expect.objectContaining({ sequence: 3 }),
    ]);
  });

  it('fails where a change is left out again and again, and says up to where all was in order', async () => {
    log = new FeedLog(gateway, { now: Date.now });
    log.append(changed(1), changed(2), changed(3));
    const drops: FeedScript = async (serving) => {
      const place = serving.after === log.cursor(0) ? 0 : 1;
      serving.send(await log.position(place));
      if (place === 0) serving.send(await log.change(1));
      serving.send(await log.change(3));
    };
    const running = tail([drops]);
    expect(await running.code).toBe(1);
    expect(running.out).toHaveLength(1);
    expect(running.err.at(-1)).toMatch(/^sealdesk: The change feed cannot be trusted: .* \(DROPPED\)\.$/);
    expect(running.err).toContain(`sealdesk: Go on with --after ${log.cursor(1)}`);
    expect(readFileSync(fakeKeyFile, 'utf8')).toContain(gateway.signingKid);
  });
});
