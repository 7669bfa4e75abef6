/** `sealdesk audit export` and `audit tail` against a gateway that listens, and `audit verify` of what they wrote. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openExportWorker } from '../../src/service/index.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { createTestTenant, type TestTenant } from '../support/tenant.ts';
import { CommandUnderWay } from './command-under-way.ts';
import { runHere } from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'sealdesk-audit-'));
const keyFile = join(folder, 'auditor.key');
const resources = new AsyncDisposableStack();
let listening: ListeningGateway;
let tenant: TestTenant;
beforeAll(async () => {
  listening = resources.use(await openListeningGateway({ simulator: { tickets: 5 } }));
  resources.use(openExportWorker(listening.gateway.deps, { scan: 20 }));
  tenant = await createTestTenant(listening.gateway);
  writeFileSync(keyFile, `${tenant.keys.auditor}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await resources.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

const connection = (): string[] => ['--url', listening.url, '--api-key-file', keyFile];
const ask = () => listening.gateway.graphql('{ viewer { tenant { id } } }', { apiKey: tenant.keys.agent });

describe('sealdesk audit export', () => {
  const exportTo = (file: string, ...more: string[]) =>
    runHere(['audit', 'export', ...connection(), '--out', file, ...more]);

  it('writes a bundle that sealdesk audit verify proves, for its owner alone', async () => {
    const file = join(folder, 'first.ndjson');
    const { code, stdout, stderr } = await exportTo(file);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^.*first\.ndjson: \d+ events \(0 to \d+\) of a log of \d+\.\nVerify it: sealdesk audit verify .*\n$/,
      ),
    });
    expect(stderr).toMatch(/^(sealdesk: \d+ of \d+ events checked\n)*$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const verified = await runHere(['audit', 'verify', file]);
    expect(verified).toMatchObject({ code: 0, stderr: '' });
  });

  it('proves with a bundle from before that the log only grew, and holds an answer against it', async () => {
    const [old, next] = [join(folder, 'old.ndjson'), join(folder, 'next.ndjson')];
    await exportTo(old);
    const { json: envelope } = await tenant.proxy('get_ticket', { ticket_id: 1 });
    expect((await exportTo(next, '--previous', old)).code).toBe(0);
    const { size } = JSON.parse(readFileSync(old, 'utf8').split('\n')[0] ?? '');
    expect(JSON.parse(readFileSync(next, 'utf8').split('\n')[0] ?? '')).toMatchObject({
      ...{ from: size, previous_size: size },
    });
    const answer = join(folder, 'envelope.json');
    writeFileSync(answer, JSON.stringify(envelope));
    const verified = await runHere(['audit', 'verify', next, '--previous', old, '--receipt', answer]);
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    const other = await runHere(['audit', 'verify', old, '--receipt', answer]);
    expect(other.code).toBe(1);
  });

  it('writes the part that is asked for', async () => {
    const file = join(folder, 'part.ndjson');
    const { code, stdout } = await exportTo(file, '--from', '2', '--to', '3');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(': 1 event (2 to 3) of '),
    });
    expect((await runHere(['audit', 'verify', file])).code).toBe(0);
  });

  it('overwrites nothing, and says what it cannot read or the gateway refuses', async () => {
    const file = join(folder, 'kept.ndjson');
    writeFileSync(file, 'kept');
    expect(await exportTo(file)).toMatchObject({ code: 1, stderr: expect.stringMatching(/exists already/) });
    expect(readFileSync(file, 'utf8')).toBe('kept');
    const fresh = join(folder, 'fresh.ndjson');
    for (const [args, message] of [
      [['--previous', file], /kept\.ndjson is no bundle of an audit log/],
      [['--previous', join(folder, 'nothing')], /there is no such file/],
      [['--from', '900000'], /from: is beyond the log.*\(VALIDATION_FAILED\)/],
    ] as const) {
      expect(await exportTo(fresh, ...args)).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(message),
      });
    }
    const asAgent = [
      'audit',
      'export',
      '--url',
      listening.url,
      '--api-key',
      tenant.keys.agent,
      '--out',
      fresh,
    ];
    expect(await runHere(asAgent)).toMatchObject({ code: 1, stderr: expect.stringMatching(/\(FORBIDDEN\)/) });
    const remote = ['audit', 'export', '--url', 'http://gateway.invalid', '--api-key', 'x', '--out', fresh];
    expect(await runHere(remote)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Nothing was sent/),
    });
    expect(readdirSync(folder).filter((name) => name.startsWith('fresh'))).toEqual([]);
  });

  it('leaves no file of a bundle that breaks off', async () => {
    // Passes everything on, but of a bundle only the beginning.
    const relay = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      const answer = await fetch(`${listening.url}${request.url}`, {
        method: request.method ?? 'GET',
        headers: {
          'content-type': 'application/json',
          'x-api-key': String(request.headers['x-api-key']),
        },
        ...(body.length > 0 ? { body } : {}),
      });
      const text = await answer.text();
      const isBundle = request.method === 'GET';
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      response.end(isBundle ? text.slice(0, -10) : text);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    relay.listen(0, '127.0.0.1', resolve);
    await promise;
    try {
      const { port } = relay.address() as AddressInfo;
      const file = join(folder, 'broken.ndjson');
      const url = `http://127.0.0.1:${port}`;
      const { code, stderr } = await runHere([
        'audit',
        'export',
        '--url',
        url,
        '--api-key-file',
        keyFile,
        '--out',
        file,
      ]);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/broke the bundle off/) });
      expect(readdirSync(folder).filter((name) => name.startsWith('broken'))).toEqual([]);
    } finally {
      relay.close();
      relay.closeAllConnections();
    }
  });
});

describe('sealdesk audit tail', () => {
  const tail = (...options: string[]) => new CommandUnderWay(['audit', 'tail', ...connection(), ...options]);

  it('prints each event as a line of JSON, and where to go on', async () => {
    const running = tail();
    const first = JSON.parse(await running.until(/subscription\.auditTail/));
    await ask();
    const second = JSON.parse(await running.until(/query\.viewer/));
    expect(second).toMatchObject({
      index: first.index + 1,
      phase: 'SINGLE',
      outcome: 'SUCCEEDED',
      envelopes: [],
    });
    expect(await running.interrupt()).toBe(0);
    expect(running.err.at(-1)).toMatch(/^sealdesk: Go on with --after [\w-]+$/);

    await ask();
    const again = tail('--after', running.err.at(-1)?.split(' ').at(-1) ?? '');
    await again.until(/subscription\.auditTail/);
    const indexes = again.out.map((line) => JSON.parse(line).index);
    // Since then were: the query, and the look at the newest event.
    expect(indexes).toEqual([second.index + 1, second.index + 2, second.index + 3]);
    expect(await again.interrupt()).toBe(0);
  });

  it('says what the gateway refuses', async () => {
    const asAgent = ['audit', 'tail', '--url', listening.url, '--api-key', tenant.keys.agent];
    expect(await runHere(asAgent)).toMatchObject({ code: 1, stderr: expect.stringMatching(/\(FORBIDDEN\)/) });
    const wrong = ['audit', 'tail', ...connection(), '--after', 'x'];
    expect(await runHere(wrong)).toMatchObject({
      ...{
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/after: is not a cursor.*\(VALIDATION_FAILED\)/),
      },
    });
  });
});
