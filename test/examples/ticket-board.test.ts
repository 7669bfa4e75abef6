/** The example frontend in Chromium, against a gateway as the demo has it: a person's way through it. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BoardServer, openBoardServer } from '../../examples/ticket-board/board-server.ts';
import { openDemoAccess } from '../../examples/ticket-board/demo-access.ts';
import { describeInChromium, openBrowser } from '../client/browser/chromium.ts';
import { type ListeningGateway, openListeningGateway } from '../support/listening-gateway.ts';
import { createTestTenant, dataOf, type TestTenant } from '../support/tenant.ts';

const resources = new AsyncDisposableStack();
let listening: ListeningGateway;
let tenant: TestTenant;
let board: BoardServer;
/** Of Zendesk’s clock, in milliseconds. */
let ahead = 0;

beforeAll(async () => {
  const clock = { now: () => Date.now() + ahead };
  listening = resources.use(await openListeningGateway({ simulator: { clock } }));
  tenant = await createTestTenant(listening.gateway);
  const { url } = listening;
  const access = resources.use(await openDemoAccess({ url, adminKey: tenant.keys.admin }));
  board = resources.use(
    await openBoardServer({ port: 0, gateway: url, apiKey: access.apiKey, mapKey: access.mapKey }),
  );
}, 60_000);
afterAll(() => resources.disposeAsync());

interface KeyView {
  readonly id: string;
  readonly fingerprint: string;
  readonly status: string;
}

/** The client key that was registered last, as the admin sees it. */
async function lastKey(): Promise<KeyView | undefined> {
  const data: { clientKeys?: { edges: readonly { node: KeyView }[] } } = dataOf(
    await listening.gateway.graphql('{ clientKeys(last: 1) { edges { node { id fingerprint status } } } }', {
      apiKey: tenant.keys.admin,
    }),
  );
  return data.clientKeys?.edges[0]?.node;
}

describeInChromium('the ticket board', () => {
  let context: BrowserContext;
  let page: Page;
  const refused: string[] = [];

  beforeAll(async () => {
    context = resources.use(await openBrowser()).context;
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) refused.push(message.text());
    });
    page.on('pageerror', (error) => refused.push(String(error)));
    await page.goto(board.url);
  }, 60_000);

  const ticketOf = (subject: string) =>
    listening.gateway.simulator.tickets.all().find((ticket) => ticket.subject === subject);
  const subjects = () => page.locator('button.subject');

  it('shows its key’s fingerprint as the gateway has it, and is of no use before it is mapped', async () => {
    await page.getByRole('heading', { name: 'waits to be mapped' }).waitFor();
    const shown = await page.locator('.fingerprint').textContent();
    expect(await lastKey()).toMatchObject({ fingerprint: shown, status: 'CONFIRMED' });
    const told = page.getByRole('alert');
    const goOn = page.getByRole('button', { name: 'It is mapped: go on' });
    expect(await told.count()).toBe(0);
    await goOn.click();
    await expect.poll(() => told.textContent()).toMatch(/^The key is not mapped yet\./);
    await expect.poll(() => goOn.isEnabled()).toBe(true);
    await page.getByRole('heading', { name: 'waits to be mapped' }).waitFor();
    expect(await page.locator('.fingerprint').textContent()).toBe(shown);
  }, 60_000);

  it('lists tickets once it is mapped, from an answer that shows nothing on its way', async () => {
    listening.sent.length = 0;
    await page.getByRole('button', { name: 'Map it as the demo’s admin' }).click();
    await subjects().first().waitFor();
    const shown = await subjects().allTextContents();
    expect(shown).toHaveLength(25);
    for (const subject of shown) {
      expect(ticketOf(subject)).toBeDefined();
      expect(listening.sent.filter((body) => body.includes(subject))).toEqual([]);
    }
    expect(await page.locator('#receipt').textContent()).toMatch(
      /^Sealed answer [\d,]+ bytes, opened in [\d.]+ ms, audit event aud_\w+$/,
    );
  }, 60_000);

  it('keeps its rows where more cannot be shown, says why beside the button, and shows them the next time', async () => {
    const more = page.getByRole('button', { name: 'Show more' });
    const told = page.locator('.list').getByRole('alert');
    await page.route('**/graphql', (route) => route.abort());
    await more.click();
    await expect.poll(() => told.textContent()).not.toBe('');
    expect(await subjects().count()).toBe(25);
    await page.unroute('**/graphql');
    await more.click();
    await expect.poll(() => subjects().count()).toBe(50);
    expect(await told.count()).toBe(0);
  }, 60_000);

  it.each([
    1920, 1280, 800, 420,
  ])('shows subjects and times whole on a screen of %i pixels', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    const cut = await page.evaluate(() => {
      const list = document.querySelector('.list');
      const right = list?.getBoundingClientRect().right ?? 0;
      const shown = [...document.querySelectorAll<HTMLElement>('.list th, .list td, .subject')];
      return shown
        .filter((one) => one.offsetParent !== null)
        .filter((one) => one.getBoundingClientRect().right > right || one.scrollWidth > one.clientWidth + 1)
        .map((one) => one.textContent);
    });
    expect(cut).toEqual([]);
    await page.getByRole('columnheader', { name: 'Updated' }).waitFor();
    await page.getByRole('columnheader', { name: 'Subject' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  });

  it('brings an opened ticket into view on a narrow screen, and leads back to where it was chosen', async () => {
    await page.setViewportSize({ width: 420, height: 800 });
    const chosen = subjects().nth(3);
    const title = (await chosen.textContent()) ?? '';
    await chosen.click();
    await page.locator('.conversation li').first().waitFor();
    const top = await page.locator('.pane h2', { hasText: title }).boundingBox();
    expect(top?.y).toBeGreaterThanOrEqual(0);
    expect(top?.y).toBeLessThan(200);
    await page.getByRole('button', { name: 'Back to the list' }).click();
    expect(await chosen.evaluate((button) => button === document.activeElement)).toBe(true);
    const row = await chosen.boundingBox();
    expect(row?.y).toBeGreaterThanOrEqual(0);
    await page.setViewportSize({ width: 1280, height: 800 });
    expect(await page.getByRole('button', { name: 'Back to the list' }).isVisible()).toBe(false);
  }, 60_000);

  it('opens a ticket with its conversation and adds a note to it', async () => {
    await subjects().first().click();
    const items = page.locator('.conversation li');
    await items.first().waitFor();
    const { id = 0 } = ticketOf((await subjects().first().textContent()) ?? '') ?? {};
    const comments = listening.gateway.simulator.tickets.comments(id);
    await expect.poll(() => items.count()).toBe(comments.length);

    await page.getByLabel('New comment').fill('Called <b>back</b>: all is well.');
    await page.getByRole('button', { name: 'Add comment' }).click();
    await page
      .locator('.conversation li.internal', { hasText: 'Called <b>back</b>: all is well.' })
      .waitFor();
    expect(listening.gateway.simulator.tickets.comments(id).at(-1)).toMatchObject({ public: false });
    expect(await page.getByLabel('New comment').inputValue()).toBe('');
  }, 60_000);

  it('changes the status, and asks again where somebody else was faster', async () => {
    const subject = (await subjects().first().textContent()) ?? '';
    const { id = 0 } = ticketOf(subject) ?? {};
    const status = () => listening.gateway.simulator.tickets.get(id)?.status;
    await page.getByLabel('Status').selectOption('PENDING');
    await expect.poll(status).toBe('pending');
    await page.locator('tr[aria-current] .status[data-status="PENDING"]').waitFor();

    // Zendesk tells changes apart by the second.
    ahead += 2_000;
    const news = { priority: 'urgent', status: 'open', tags: ['news-from-afar'] };
    const answer = await tenant.proxy('update_ticket', { ticket_id: id, ...news });
    expect(answer.status).toBe(200);
    const fact = (name: string) =>
      page
        .locator('.facts > div')
        .filter({ has: page.locator('dt', { hasText: name }) })
        .locator('dd');
    expect(await fact('Priority').textContent()).not.toBe('Urgent');
    await page.getByLabel('Status').selectOption('SOLVED');
    const anyway = page.getByRole('button', { name: 'Set it to Solved all the same' });
    await anyway.waitFor();
    expect(status()).toBe('open');
    expect(await fact('Priority').textContent()).toBe('Urgent');
    expect(await fact('Tags').textContent()).toBe('news-from-afar');
    await anyway.click();
    await expect.poll(status).toBe('solved');
  }, 60_000);

  it('knows its key again after a reload, and broke no rule of its content security policy', async () => {
    await page.reload();
    await subjects().first().waitFor();
    expect(refused).toEqual([]);
  }, 60_000);

  it('says so when its key was revoked, and makes a new one when it is told to', async () => {
    const key = await lastKey();
    dataOf(
      await listening.gateway.graphql(
        'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { status } } }',
        { apiKey: tenant.keys.admin, variables: { id: key?.id } },
      ),
    );
    await page.reload();
    await page.getByRole('button', { name: 'Make a new key' }).click();
    await page.getByRole('heading', { name: 'waits to be mapped' }).waitFor();
    expect(await page.locator('.fingerprint').textContent()).not.toBe(key?.fingerprint);
  }, 60_000);
});

describe('the server of the ticket board', () => {
  const post = (headers: Readonly<Record<string, string>>, path = '/graphql') =>
    fetch(new URL(path, board.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{"query":"{ viewer { apiKey { id } } }"}',
    });

  it('lends its API key to pages of its own only', async () => {
    expect((await post({})).status).toBe(403);
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect((await post({ 'sec-fetch-site': 'same-site' }, '/demo/map')).status).toBe(403);
    const own = await post({ 'sec-fetch-site': 'same-origin' });
    expect(await own.json()).toMatchObject({ data: { viewer: { apiKey: { id: expect.any(String) } } } });
  });

  it('maps no key of another fingerprint than the page shows', async () => {
    const response = await fetch(new URL('/demo/map', board.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
      body: JSON.stringify({ keyId: tenant.keyFile.key_id, fingerprint: 'AAAA-AAAA' }),
    });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining('do not map it') });
  });

  it('serves nothing but the page and what it imports', async () => {
    const read = async (path: string) => (await fetch(new URL(path, board.url))).text();
    const root = new URL('../../', import.meta.url).pathname;
    for (const path of ['package.json', 'src/config.ts', 'examples/ticket-board/server.ts']) {
      const text = await read(`/@fs${root}${path}`);
      expect(text).not.toMatch(/sealdesk|parseArgs|readConfig/);
    }
    expect(await read(`/@fs${root}src/client/index.ts`)).toContain('openEnvelope');
  });
});

describe('npm run example', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sealdesk-example-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const server = new URL('../../examples/ticket-board/server.ts', import.meta.url).pathname;
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [server, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it('says in one line that it needs the demo, where there is none and where it has stopped', () => {
    const stopped = join(folder, 'stopped.json');
    writeFileSync(stopped, JSON.stringify({ url: 'http://127.0.0.1:1', apiKeys: { admin: 'sd_live_x' } }));
    for (const args of [[], ['--demo', stopped]]) {
      expect(run(...args)).toEqual({
        status: 1,
        stdout: '',
        stderr: expect.stringMatching(
          /^The ticket board needs the demo, .* npm start in another terminal\.\n$/,
        ),
      });
    }
  });

  it('explains its options, and refuses others in one line', () => {
    const help = run('--help');
    expect(help).toMatchObject({ status: 0, stderr: '' });
    for (const option of ['--port PORT', '--demo FILE']) expect(help.stdout).toContain(option);
    for (const args of [['--nope'], ['--port', 'x'], ['--port', '65536'], ['nope']]) {
      const { status, stdout, stderr } = run(...args);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(/^[^\n]+\n$/);
    }
  });

  it('says that its port is taken, and leaves no API key behind', async () => {
    const demo = join(folder, 'demo.json');
    writeFileSync(demo, JSON.stringify({ url: listening.url, apiKeys: { admin: tenant.keys.admin } }));
    const port = new URL(board.url).port;
    // The gateway answers in this process, so that the other one must not be waited for in a blocking way.
    const child = spawn(process.execPath, [server, '--demo', demo, '--port', port], { cwd: folder });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `Port ${port} is in use: choose another with npm run example -- --port PORT.\n`,
    });
    const data = dataOf(
      await listening.gateway.graphql('{ apiKeys(last: 1) { edges { node { name revokedAt } } } }', {
        apiKey: tenant.keys.admin,
      }),
    );
    expect(data).toMatchObject({
      apiKeys: { edges: [{ node: { name: 'ticket board example', revokedAt: expect.any(String) } }] },
    });
  }, 30_000);
});
