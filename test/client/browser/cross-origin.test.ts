/** A page and a whole gateway on two origins: what `SEALDESK_CORS_ORIGINS` lets the page do, and what not. */
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ListeningGateway, openListeningGateway } from '../../support/listening-gateway.ts';
import { createTestApiKey, createTestTenant, dataOf, type TestTenant } from '../../support/tenant.ts';
import { describeInChromium, openBrowser } from './chromium.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { openPage, take } from './steps.ts';

const MAP = 'mutation($id: ID!) { mapClientKey(keyId: $id) { clientKey { status } } }';

describeInChromium('a page of another origin', () => {
  const resources = new AsyncDisposableStack();
  let listed: PageServer;
  let unlisted: PageServer;
  let listening: ListeningGateway;
  let tenant: TestTenant;
  let browser: BrowserContext;

  beforeAll(async () => {
    const anywhere = { connect: 'http://127.0.0.1:*' };
    listed = resources.use(await startPageServer(anywhere));
    unlisted = resources.use(await startPageServer(anywhere));
    listening = resources.use(await openListeningGateway({ corsOrigins: [listed.origin] }));
    tenant = await createTestTenant(listening.gateway);
    browser = resources.use(await openBrowser()).context;
  }, 60_000);

  afterAll(() => resources.disposeAsync());

  /** As the page's own server would: an API key for the shortest time, whose answers only this page can open. */
  const lendApiKey = (clientKeyId: string | null): Promise<string> =>
    createTestApiKey(listening.gateway, tenant.keys.admin, {
      roles: ['DASHBOARD'],
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
      ...(clientKeyId === null ? {} : { clientKeyId }),
    });

  it('registers its own key, waits to be mapped, and then reads tickets that only it can open', async () => {
    const { gateway, url } = listening;
    const page = await openPage(browser, listed.origin);
    expect(await take(page, 'generate')).toMatchObject({ nonExtractable: true });
    const { keyId, status } = await take(page, 'register', url, await lendApiKey(null));
    expect(status).toBe('CONFIRMED');

    const unbound = await lendApiKey(null);
    expect(await take(page, 'tickets', url, unbound, tenant.integrationId)).toEqual({
      subjects: [],
      codes: ['CLIENT_KEY_NOT_MAPPED'],
      auditEventId: null,
    });
    dataOf(await gateway.graphql(MAP, { apiKey: tenant.keys.admin, variables: { id: keyId } }));

    listening.sent.length = 0;
    const bound = await lendApiKey(keyId);
    const { subjects, codes, auditEventId } = await take(page, 'tickets', url, bound, tenant.integrationId);
    expect(codes).toEqual([]);
    expect(auditEventId).toMatch(/^aud_/);
    const known = new Set(gateway.simulator.tickets.all().map(({ subject }) => subject));
    expect(subjects).toHaveLength(20);
    expect(subjects.filter((subject) => !known.has(subject))).toEqual([]);
    const answer = listening.sent.at(-1) ?? '';
    expect(Object.keys(JSON.parse(answer))).toContain('encrypted');
    expect(subjects.filter((subject) => answer.includes(String(subject)))).toEqual([]);
    await page.close();
  }, 60_000);

  it('that is not listed is not even asked what it wants', async () => {
    const { url } = listening;
    const page = await openPage(browser, unlisted.origin);
    await take(page, 'generate');
    listening.sent.length = 0;
    const apiKey = await lendApiKey(null);
    await expect(take(page, 'register', url, apiKey)).rejects.toThrow('Failed to fetch');
    // The preflight, without a word.
    expect(listening.sent).toEqual(['']);
    await page.close();
  }, 60_000);
});
