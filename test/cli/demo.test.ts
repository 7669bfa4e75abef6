import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { freePorts, type RunningProgram, runProgram, startProgram } from './program.ts';

const DemoFile = z.strictObject({
  url: z.string(),
  simulatorUrl: z.string(),
  tenantId: z.string(),
  integrationId: z.string(),
  apiKeys: z.strictObject({
    operator: z.string(),
    admin: z.string(),
    agent: z.string(),
    dashboard: z.string(),
    auditor: z.string(),
  }),
  clientKeyFile: z.string(),
});
type DemoFile = z.infer<typeof DemoFile>;

const cwd = mkdtempSync(join(tmpdir(), 'sealdesk-demo-'));
const dataDir = join(cwd, 'data');
const demoFile = join(dataDir, 'demo.json');
let args: string[] = [];
let env: Record<string, string> = {};
let demo: RunningProgram;

function readDemo(): DemoFile {
  return DemoFile.parse(JSON.parse(readFileSync(demoFile, 'utf8')));
}

async function start(): Promise<RunningProgram> {
  return startProgram(args, { cwd, env, until: /Ctrl\+C/ });
}

async function ask(url: string, apiKey: string, query: string): Promise<unknown> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': apiKey },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

const VIEWER = '{ viewer { apiKey { roles clientKeyId } tenant { id } } }';

/** Sends the request that a printed curl line describes; answers its body. */
async function sendCurl(line: string): Promise<string> {
  const url = /^curl -X POST (\S+) /.exec(line)?.[1] ?? '';
  const headers = [...line.matchAll(/-H "([^:]+): ([^"]+)"/g)].map(([, name = '', value = '']) => [
    name,
    value,
  ]);
  const body = /-d '([^']+)'/.exec(line)?.[1] ?? '';
  const response = await fetch(url, { method: 'POST', headers: Object.fromEntries(headers), body });
  expect(response.status).toBe(200);
  return response.text();
}

/** The printed lines, those joined that a backslash continues. */
function printedLines(): string[] {
  return demo.stdout.replaceAll(/ \\\n */g, ' ').split('\n');
}

function lineWith(pattern: RegExp): string {
  const found = printedLines().filter((line) => pattern.test(line));
  expect(found).toHaveLength(1);
  return found[0] ?? '';
}

/** The words of the commands of a document in which `mark` stands, for this demo in place of the one that it speaks of. */
function documented(file: string, mark: string): readonly (readonly string[])[] {
  const { url, integrationId, clientKeyFile } = readDemo();
  const text = readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8');
  const commands = text.match(/^node bin\/sealdesk\.mjs .*$/gm) ?? [];
  return commands
    .filter((line) => line.includes(mark))
    .map((line) =>
      line
        .replaceAll('int_…', integrationId)
        .replaceAll('http://localhost:4000', url)
        .replaceAll('.sealdesk/demo-client-key.json', clientKeyFile),
    )
    .map((line) => (line.match(/'[^']*'|\S+/g) ?? []).slice(2).map((word) => word.replaceAll("'", '')));
}

/** What somebody does in a browser who chooses Allow on the page of Zendesk, back to the gateway. */
async function allowAccess(address: string): Promise<void> {
  const html = await (await fetch(address)).text();
  const members = [...html.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
    name,
    value.replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))),
  ]);
  const form = new URLSearchParams([...members, ['decision', 'allow']]);
  const decided = await fetch(new URL('/oauth/authorizations', address), {
    ...{ method: 'POST', body: form, redirect: 'manual' },
  });
  const page = await fetch(decided.headers.get('location') ?? '');
  expect(await page.text()).toContain('<h1>Connected</h1>');
}

beforeAll(async () => {
  const [port = 0, simulatorPort = 0] = await freePorts(2);
  args = ['demo', '--simulator-port', String(simulatorPort)];
  env = { PORT: String(port), SEALDESK_DATA_DIR: dataDir };
  demo = await start();
});
afterAll(async () => {
  await demo[Symbol.asyncDispose]();
  rmSync(cwd, { recursive: true, force: true });
});

describe('the demo', () => {
  it('writes what scripts need, readable by its owner alone', () => {
    const file = readDemo();
    expect(file.url).toBe(`http://localhost:${env['PORT']}`);
    expect(file.simulatorUrl).toBe(`http://127.0.0.1:${args[2]}`);
    for (const path of [demoFile, file.clientKeyFile, join(dataDir, 'kms.key')]) {
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
    expect(readdirSync(dataDir).filter((name) => name.includes('draft'))).toEqual([]);
    expect(demo.stdout.split('\n').length).toBeLessThan(22);
  });

  it('gives each key its role, and binds those that read tickets to the client key', async () => {
    const { url, tenantId, apiKeys, clientKeyFile } = readDemo();
    const { key_id: clientKeyId } = JSON.parse(readFileSync(clientKeyFile, 'utf8'));
    for (const [name, apiKey] of Object.entries(apiKeys)) {
      const isBound = name === 'agent' || name === 'dashboard';
      expect(await ask(url, apiKey, VIEWER)).toMatchObject({
        data: {
          viewer: {
            apiKey: { roles: [name.toUpperCase()], clientKeyId: isBound ? clientKeyId : null },
            tenant: { id: name === 'operator' ? expect.not.stringContaining(tenantId) : tenantId },
          },
        },
      });
    }
  });

  it('prints a walk-through that works: a call, its envelope opened, the call in the audit log', async () => {
    const answer = await sendCurl(lineWith(/^curl .*proxy\/outbound/).replace(' -o envelope.json', ''));
    expect(answer).not.toContain('subject');
    writeFileSync(join(cwd, 'envelope.json'), answer);
    const [, entry = '', ...words] = lineWith(/^node .*open envelope\.json/).split(' ');
    expect(entry).toMatch(/bin\/sealdesk\.mjs$/);
    const opened = await runProgram(words, { cwd });
    expect(opened).toMatchObject({ code: 0, stderr: '' });
    const { results } = JSON.parse(opened.stdout);
    expect(results.length).toBeGreaterThan(0);
    for (const ticket of results) expect(ticket).toMatchObject({ status: 'open', priority: 'high' });

    const events = JSON.parse(await sendCurl(lineWith(/^curl .*auditEvents/)));
    expect(events.data.auditEvents.edges).toContainEqual({
      node: expect.objectContaining({ operation: 'search', outcome: 'SUCCEEDED' }),
    });
    const { audit_event_id: id } = JSON.parse(answer);
    const { url, apiKeys } = readDemo();
    expect(
      await ask(url, apiKeys.auditor, `{ node(id: "${id}") { ... on AuditEvent { operation } } }`),
    ).toMatchObject({
      data: { node: { operation: 'search' } },
    });
  });

  it('prints one command that asks the typed graph and opens the sealed answer', async () => {
    const [, , ...words] = lineWith(/^node .* query /).match(/'[^']*'|\S+/g) ?? [];
    const asked = await runProgram(
      words.map((word) => word.replaceAll("'", '')),
      { cwd },
    );
    expect(asked).toMatchObject({ code: 0, stderr: '' });
    const { data, extensions } = JSON.parse(asked.stdout);
    expect(data.integration.tickets.nodes).toHaveLength(3);
    expect(data.integration.tickets.nodes[0].requester.name).not.toBe('');
    expect(extensions.zendesk.calls).toBe(1);
  });

  it.skipIf(spawnSync('curl', ['--version']).status !== 0)(
    'prints a line that curl itself understands',
    async () => {
      const line = lineWith(/^curl .*proxy\/outbound/);
      expect(spawnSync('sh', ['-c', line], { cwd }).status).toBe(0);
      const opened = await runProgram(['open', 'envelope.json', '--key', readDemo().clientKeyFile], { cwd });
      expect(opened.code).toBe(0);
    },
  );

  it('is connected, synced and reviewed by the commands of docs/connecting.md', async () => {
    const { apiKeys } = readDemo();
    writeFileSync(join(cwd, 'admin.key'), apiKeys.admin);
    const [connecting = [], syncing = [], reviewing = []] = documented('docs/connecting.md', 'admin.key');
    await using connect = await startProgram(connecting, { cwd, until: /oauth\/authorizations/ });
    await allowAccess(/https?:\S+oauth\/authorizations\S+/.exec(connect.stdout)?.[0] ?? '');
    const connected = await connect.ended;
    expect(connected).toMatchObject({ code: 0, stderr: '' });
    expect(connected.stdout).toMatch(/Connected: int_\w+ uses cred_/);

    const started = await runProgram(syncing, { cwd });
    expect(started).toMatchObject({ code: 0, stderr: '' });
    const { run } = JSON.parse(started.stdout).data.startAccessSync;
    const stateOf = async () =>
      JSON.stringify(
        await ask(readDemo().url, apiKeys.admin, `{ accessSyncRun(id: "${run.id}") { state } }`),
      );
    await expect.poll(stateOf, { timeout: 50_000, interval: 500 }).toContain('SUCCEEDED');

    const review = await runProgram(reviewing, { cwd });
    expect(review).toMatchObject({ code: 0 });
    expect(review.stdout).toMatch(/review\.csv: \d+ people with access\.\n +ADMINS +[1-9]/);
    for (const finding of ['DORMANT', 'NO_TWO_FACTOR', 'SUSPENDED_WITH_SEAT']) {
      expect(review.stdout).toMatch(new RegExp(`${finding} +[1-9]`));
    }
    const rows = readFileSync(join(cwd, 'review.csv'), 'utf8').trimEnd().split('\r\n');
    expect(rows.length).toBeGreaterThan(5);
  });

  it('has its audit log exported and verified by the commands of the README', async () => {
    writeFileSync(join(cwd, 'auditor.key'), readDemo().apiKeys.auditor);
    const lines = documented('README.md', 'log.ndjson');
    expect(lines.map(([, verb]) => verb)).toEqual(['export', 'verify', 'export', 'verify']);
    for (const words of lines) {
      const done = await runProgram(words, { cwd });
      expect({ words, code: done.code, stderr: done.stderr }).toEqual({
        words,
        code: 0,
        stderr: expect.any(String),
      });
      if (words[1] !== 'verify') continue;
      expect(done.stdout).toContain('Both keys of the log');
      expect(done.stdout).toMatch(words.includes('--receipt') ? /was logged/ : /begins with the \d+ events/);
    }
  });

  it('has life in its simulator', async () => {
    const stats = await (await fetch(`${readDemo().simulatorUrl}/__simulator/stats`)).json();
    expect(stats).toMatchObject({ activity: { per_minute: 6 } });
  });

  it('registers, confirms and opens with another client key from the command line', async () => {
    const { url, apiKeys, tenantId } = readDemo();
    expect((await runProgram(['keys', 'generate', 'mine.json'], { cwd })).code).toBe(0);
    const register = ['keys', 'register', 'mine.json', '--url', url, '--api-key-file', '-'];
    const registered = await runProgram(register, { cwd, input: apiKeys.agent });
    expect(registered).toMatchObject({ code: 0, stderr: '' });
    expect(registered.stdout).toContain(`(CONFIRMED) of ${tenantId}`);
    expect(statSync(join(cwd, 'mine.json')).mode & 0o777).toBe(0o600);
    const again = await runProgram(['keys', 'register', 'mine.json'], { cwd });
    expect(again.stdout).toBe(registered.stdout);

    const { key_id: id } = JSON.parse(readFileSync(join(cwd, 'mine.json'), 'utf8'));
    await ask(url, apiKeys.operator, `mutation { mapClientKey(keyId: "${id}") { clientKey { id } } }`);
    const created = await ask(
      url,
      apiKeys.admin,
      `mutation { createApiKey(input: { name: "mine", roles: [AGENT], clientKeyId: "${id}" }) { secret } }`,
    );
    const { secret } = z
      .object({ data: z.object({ createApiKey: z.object({ secret: z.string() }) }) })
      .parse(created).data.createApiKey;
    const query = `mutation { proxyOutbound(input: { integrationId: "${readDemo().integrationId}", operation: "list_users", payload: {} }) { envelope } }`;
    writeFileSync(join(cwd, 'answer.json'), JSON.stringify(await ask(url, secret, query)));
    const opened = await runProgram(['open', 'answer.json', '--key', 'mine.json'], { cwd });
    expect(opened).toMatchObject({ code: 0, stderr: '' });
    const foreign = await runProgram(['open', 'answer.json', '--key', readDemo().clientKeyFile], { cwd });
    expect(foreign).toMatchObject({ code: 1, stdout: '' });
  });

  it('takes a key that was handed over without network', async () => {
    const { url, apiKeys, tenantId } = readDemo();
    await runProgram(['keys', 'generate', 'far.json'], { cwd });
    const input = await runProgram(['keys', 'public', 'far.json', '--tenant', tenantId], { cwd });
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': apiKeys.admin },
      body: JSON.stringify({
        query:
          'mutation ($input: RegisterClientKeyInput!) { registerClientKey(input: $input) { clientKey { id } welcome } }',
        variables: { input: JSON.parse(input.stdout) },
      }),
    });
    const welcome = await response.text();
    const other = tenantId.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const elsewhere = ['keys', 'accept', 'far.json', '-', '--tenant', other];
    expect(await runProgram(elsewhere, { cwd, input: welcome })).toMatchObject({ code: 1, stdout: '' });
    const accepted = await runProgram(['keys', 'accept', 'far.json', '-', '--tenant', tenantId], {
      cwd,
      input: welcome,
    });
    expect(accepted.code).toBe(0);
    const [, curl = ''] = accepted.stdout.split('\n');
    expect(JSON.parse(await sendCurl(curl))).toMatchObject({
      data: { confirmClientKey: { clientKey: { status: 'CONFIRMED' } } },
    });
  });

  it('stops on SIGTERM with exit code 0, and frees its folder', async () => {
    expect(await demo.stop()).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(dataDir)).not.toContain('sealdesk.lock');
  });
});

describe('a later start of the demo', () => {
  it('keeps ids, keys and what was made meanwhile, and its calls still work', async () => {
    const before = readFileSync(demoFile, 'utf8');
    demo = await start();
    expect(readFileSync(demoFile, 'utf8')).toBe(before);
    await sendCurl(lineWith(/^curl .*proxy\/outbound/).replace(' -o envelope.json', ''));
    const { url, apiKeys } = readDemo();
    const integrations = await ask(
      url,
      apiKeys.admin,
      '{ integrations(first: 9) { edges { node { id } } } }',
    );
    expect(integrations).toMatchObject({ data: { integrations: { edges: [{ node: {} }] } } });
    await demo.stop();
  });

  it('replaces only what is lost', async () => {
    const before = readDemo();
    const { dashboard: _, ...apiKeys } = before.apiKeys;
    writeFileSync(demoFile, JSON.stringify({ tenantId: before.tenantId, apiKeys }), { mode: 0o600 });
    demo = await start();
    const after = readDemo();
    expect(after).toEqual({
      ...before,
      apiKeys: { ...apiKeys, dashboard: expect.not.stringContaining(before.apiKeys.dashboard) },
    });
    expect(await ask(after.url, after.apiKeys.dashboard, VIEWER)).toMatchObject({
      data: { viewer: { apiKey: { roles: ['DASHBOARD'] } } },
    });
    await demo.stop();
  });

  it('makes a new client key and binds new API keys to it where the key file is broken', async () => {
    const before = readDemo();
    writeFileSync(before.clientKeyFile, 'broken', { mode: 0o600 });
    demo = await start();
    const after = readDemo();
    expect(after.apiKeys).toEqual({
      ...before.apiKeys,
      agent: expect.not.stringContaining(before.apiKeys.agent),
      dashboard: expect.not.stringContaining(before.apiKeys.dashboard),
    });
    const replaced = readdirSync(dataDir).filter((name) => name.includes('.replaced-'));
    expect(replaced.map((name) => readFileSync(join(dataDir, name), 'utf8'))).toEqual(['broken']);
    const answer = await sendCurl(lineWith(/^curl .*proxy\/outbound/).replace(' -o envelope.json', ''));
    writeFileSync(join(cwd, 'envelope.json'), answer);
    const opened = await runProgram(['open', 'envelope.json', '--key', after.clientKeyFile], { cwd });
    expect(opened.code).toBe(0);
    await demo.stop();
  });

  it('finishes a first start that was killed half-way', async () => {
    const folder = join(cwd, 'killed');
    mkdirSync(folder);
    const isUnderWay = Promise.withResolvers<void>();
    const watcher = watch(folder, (_event, name) => {
      if (name === 'demo.json.draft') isUnderWay.resolve();
    });
    const killedEnv = { ...env, SEALDESK_DATA_DIR: folder };
    // Nothing is printed before the set-up ends, so the start is not awaited here.
    const started = startProgram(args, { cwd, env: killedEnv, until: /Ctrl\+C/ });
    await isUnderWay.promise;
    watcher.close();
    const lock = JSON.parse(readFileSync(join(folder, 'sealdesk.lock'), 'utf8'));
    process.kill(lock.pid, 'SIGKILL');
    await expect(started).rejects.toThrow('ended with');
    expect(readdirSync(folder)).not.toContain('demo.json');

    await using second = await startProgram(args, { cwd, env: killedEnv, until: /Ctrl\+C/ });
    const file = DemoFile.parse(JSON.parse(readFileSync(join(folder, 'demo.json'), 'utf8')));
    expect(await ask(file.url, file.apiKeys.agent, VIEWER)).toMatchObject({
      data: { viewer: { tenant: { id: file.tenantId } } },
    });
    expect(readdirSync(folder)).not.toContain('demo.json.draft');
    expect((await second.stop()).code).toBe(0);
  });
});

describe('npm start', () => {
  it('is the demo where nothing but PORT is set, and the gateway where anything is', async () => {
    const [port = 0] = await freePorts(1);
    await using gateway = await startProgram(['start'], {
      cwd,
      env: { PORT: String(port), SEALDESK_DATA_DIR: join(cwd, 'plain') },
      until: /Listening/,
    });
    const response = await fetch(`http://localhost:${port}/healthz`);
    expect(response.status).toBe(200);
    expect((await gateway.stop('SIGINT')).code).toBe(0);
    expect(readdirSync(join(cwd, 'plain'))).not.toContain('demo.json');
  });

  it('takes the options of the demo, and refuses them where it would run a configured gateway', async () => {
    const [port = 0, simulatorPort = 0] = await freePorts(2);
    const folder = mkdtempSync(join(cwd, 'start-'));
    const words = ['start', '--simulator-port', String(simulatorPort)];
    const options = { cwd: folder, env: { PORT: String(port) } };
    await using started = await startProgram(words, { ...options, until: /Ctrl\+C/ });
    expect(started.stdout).toContain(`Simulator  http://127.0.0.1:${simulatorPort} `);
    expect((await started.stop()).code).toBe(0);

    const refused = await runProgram(words, {
      cwd: folder,
      env: { ...options.env, SEALDESK_DATA_DIR: join(folder, 'never') },
    });
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^sealdesk: --simulator-port is for the demo, .*\n$/);
    expect(readdirSync(folder)).not.toContain('never');
  });
});
