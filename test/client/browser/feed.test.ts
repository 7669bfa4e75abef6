/** A page that follows the changes of tickets, with a key that no script can read, over both transports. */
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApiKey, dataOf } from '../../support/tenant.ts';
import { type LiveGateway, openLiveGateway } from '../feed/live-gateway.ts';
import { TRANSPORTS } from '../feed/rig.ts';
import { describeInChromium, openBrowser } from './chromium.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { openPage, take, untilReady } from './steps.ts';

const MAP = 'mutation($id: ID!) { mapClientKey(keyId: $id) { clientKey { status } } }';
const REVOKE = 'mutation($id: ID!) { revokeClientKey(keyId: $id) { clientKey { status } } }';

describeInChromium('a page that follows', () => {
  const resources = new AsyncDisposableStack();
  let live: LiveGateway;
  let listed: PageServer;
  let unlisted: PageServer;
  let browser: BrowserContext;

  beforeAll(async () => {
    const anywhere = { connect: 'http://127.0.0.1:* ws://127.0.0.1:*' };
    listed = resources.use(await startPageServer(anywhere));
    unlisted = resources.use(await startPageServer(anywhere));
    live = resources.use(await openLiveGateway({ corsOrigins: [listed.origin] }));
    browser = resources.use(await openBrowser()).context;
  }, 120_000);

  afterAll(() => resources.disposeAsync());

  const asAdmin = async (query: string, id: string): Promise<void> => {
    const { listening, tenant } = live;
    dataOf(await listening.gateway.graphql(query, { apiKey: tenant.keys.admin, variables: { id } }));
  };

  /** As the page's own server would lend it. */
  const lendApiKey = (clientKeyId: string | null): Promise<string> =>
    createTestApiKey(live.listening.gateway, live.tenant.keys.admin, {
      roles: ['DASHBOARD'],
      expiresAt: new Date(Date.now() + 300_000).toISOString(),
      ...(clientKeyId === null ? {} : { clientKeyId }),
    });

  /** A page with a mapped key of its own, and an API key that is bound to it. */
  async function openMappedPage(): Promise<{ page: Page; keyId: string; apiKey: string }> {
    const page = await openPage(browser, listed.origin);
    expect(await take(page, 'generate')).toMatchObject({ nonExtractable: true });
    const { keyId } = await take(page, 'register', live.listening.url, await lendApiKey(null));
    await asAdmin(MAP, keyId);
    return { page, keyId, apiKey: await lendApiKey(keyId) };
  }

  it.each(
    TRANSPORTS,
  )('over %s sees what changes, and after a reload what changed meanwhile', async (transport) => {
    const { listening, tenant, createTicket } = live;
    const { page, keyId, apiKey } = await openMappedPage();
    const follow = (after: string | null) =>
      take(page, 'follow', listening.url, apiKey, tenant.integrationId, transport, after);
    await follow(null);
    createTicket('Größe');
    createTicket('While it looks');
    const [first, second] = await take(page, 'takeChanges', 2);
    expect([first?.subject, second?.subject]).toEqual(['Größe', 'While it looks']);
    await take(page, 'stopFollowing');

    await page.reload();
    await untilReady(page);
    createTicket('While it is away');
    expect(await follow(first?.cursor ?? null)).toBe(first?.cursor);
    const again = await take(page, 'takeChanges', 2);
    expect(again.map(({ subject }) => subject)).toEqual(['While it looks', 'While it is away']);
    expect(listed.paths.filter((path) => path.includes('noble'))).toEqual([]);

    const ending = take(page, 'failure');
    await asAdmin(REVOKE, keyId);
    expect(await ending).toBe('KEY_REVOKED');
    await page.close();
  }, 120_000);

  it('of an origin that is not listed gets no change, and no word why', async () => {
    const { listening, tenant } = live;
    const page = await openPage(browser, unlisted.origin);
    const attempt = await page.evaluate(
      async ({ url, apiKey }) => {
        const socket = new WebSocket(url, 'graphql-transport-ws');
        const { promise, resolve } = Promise.withResolvers<string>();
        socket.onopen = () => {
          socket.send(JSON.stringify({ type: 'connection_init', payload: { apiKey } }));
          resolve('opened');
        };
        socket.onclose = ({ code }) => resolve(`closed with ${code}`);
        return promise;
      },
      { url: listening.socketUrl, apiKey: tenant.keys.dashboard },
    );
    expect(attempt).toBe('closed with 1006');
    await page.close();
  }, 60_000);
});
