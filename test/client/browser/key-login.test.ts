/** A page of another origin that no API key was lent: it logs in by its own key, which no script can read. */
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mapKey } from '../../support/login.ts';
import { createTestApiKey, dataOf } from '../../support/tenant.ts';
import { type LiveGateway, openLiveGateway } from '../feed/live-gateway.ts';
import { TRANSPORTS } from '../feed/rig.ts';
import { describeInChromium, openBrowser } from './chromium.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { openPage, take, untilReady } from './steps.ts';

const REVOKE = 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { status } } }';

describeInChromium('a page without an API key', () => {
  const resources = new AsyncDisposableStack();
  let live: LiveGateway;
  let server: PageServer;
  let browser: BrowserContext;

  beforeAll(async () => {
    server = resources.use(await startPageServer({ connect: 'http://127.0.0.1:* ws://127.0.0.1:*' }));
    live = resources.use(await openLiveGateway({ corsOrigins: [server.origin] }));
    browser = resources.use(await openBrowser()).context;
  }, 120_000);

  afterAll(() => resources.disposeAsync());

  /** A page with a key of its own, registered and mapped with `login`. */
  async function openMappedPage(login: object | null): Promise<{ page: Page; keyId: string }> {
    const { listening, tenant } = live;
    const { admin } = tenant.keys;
    const page = await openPage(browser, server.origin);
    expect(await take(page, 'generate')).toMatchObject({ nonExtractable: true });
    const lent = await createTestApiKey(listening.gateway, admin, { roles: ['DASHBOARD'] });
    const { keyId } = await take(page, 'register', listening.url, lent);
    dataOf(await mapKey(listening.gateway, admin, keyId, login));
    return { page, keyId };
  }

  it('reads tickets by tokens that it signs, on later visits too, and no URL has any', async () => {
    const { listening, tenant } = live;
    const { page } = await openMappedPage({ roles: ['DASHBOARD'] });
    const urls: string[] = [];
    const tokens: (string | undefined)[] = [];
    page.on('request', (request) => {
      urls.push(request.url());
      if (request.method() === 'POST') tokens.push(request.headers()['authorization']);
    });
    for (let visit = 0; visit < 2; visit += 1) {
      const { subjects, codes } = await take(page, 'tickets', listening.url, null, tenant.integrationId);
      expect(codes).toEqual([]);
      expect(subjects).not.toEqual([]);
      await page.reload();
      await untilReady(page);
    }
    expect(tokens).toHaveLength(2);
    expect(tokens.every((token) => token?.startsWith('Bearer ey'))).toBe(true);
    for (const url of urls) expect(url).not.toMatch(/ey[\w-]{20}|token|\?/);
    expect(server.paths.filter((path) => path.includes('noble'))).toEqual([]);
    await page.close();
  }, 60_000);

  it.each(TRANSPORTS)('follows what changes over %s, until its key is revoked', async (transport) => {
    const { listening, tenant, createTicket } = live;
    const { page, keyId } = await openMappedPage({ roles: ['DASHBOARD'] });
    await take(page, 'follow', listening.url, null, tenant.integrationId, transport, null);
    createTicket('Größe');
    const [change] = await take(page, 'takeChanges', 1);
    expect(change?.subject).toBe('Größe');
    const ending = take(page, 'failure');
    dataOf(await listening.gateway.graphql(REVOKE, { apiKey: tenant.keys.admin, variables: { id: keyId } }));
    expect(await ending).toBe('KEY_REVOKED');
    await page.close();
  }, 60_000);

  it('gets nothing where its key was mapped without a login', async () => {
    const { listening, tenant } = live;
    const { page } = await openMappedPage(null);
    expect(await take(page, 'tickets', listening.url, null, tenant.integrationId)).toEqual({
      subjects: [],
      codes: ['FORBIDDEN'],
      auditEventId: null,
    });
    await page.close();
  }, 60_000);
});
