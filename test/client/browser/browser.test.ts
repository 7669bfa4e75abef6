/** The SDK in headless Chromium: keys that no script can read, kept over a reload, and sealed answers. */
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { API_KEY } from '../fake-gateway.ts';
import { createSealingGateway, createSigner, documentOf, type SealingGateway } from '../sealing-gateway.ts';
import { describeInChromium, openBrowser } from './chromium.ts';
import { type PageServer, startPageServer } from './page-server.ts';
import { openPage, take, untilReady } from './steps.ts';

describeInChromium('in Chromium', () => {
  const resources = new AsyncDisposableStack();
  let gateway: SealingGateway;
  let server: PageServer;
  let browser: BrowserContext;

  beforeAll(async () => {
    gateway = await createSealingGateway();
    const REGISTRATION = /Sealdesk(?:Viewer|Register|Confirm)/;
    const gatewayFetch: SealingGateway['fetch'] = (input, init) => {
      const body = new TextDecoder().decode(init?.body as Uint8Array | undefined);
      return REGISTRATION.test(body)
        ? gateway.fake.fetch(input, { ...init, body })
        : gateway.fetch(input, init);
    };
    server = resources.use(await startPageServer({ gateway: gatewayFetch }));
    browser = resources.use(await openBrowser()).context;
  }, 60_000);

  afterAll(() => resources.disposeAsync());

  /** A page with a new key that is registered. */
  async function openRegisteredPage(): Promise<Page> {
    const page = await openPage(browser, server.origin);
    await take(page, 'generate');
    await take(page, 'register', server.origin, API_KEY);
    return page;
  }

  it('a key is made by the platform, outlives the page unread, and opens what was sealed in Node', async () => {
    const page = await openPage(browser, server.origin);
    const made = await take(page, 'generate');
    expect(made).toMatchObject({ nonExtractable: true, read: ['rejected', 'rejected'], state: 'FRESH' });
    const registered = await take(page, 'register', server.origin, API_KEY);
    expect(registered).toEqual({ status: 'CONFIRMED', keyId: gateway.fake.keyId });

    await page.reload();
    await untilReady(page);
    expect(await take(page, 'describe')).toEqual({
      nonExtractable: true,
      jwks: made.jwks,
      pins: [gateway.fake.signingKid],
    });
    const sealedInNode = await gateway.fake.seal('{"name":"Größe"}');
    expect(await take(page, 'open', server.origin, sealedInNode)).toEqual({ name: 'Größe' });
    const answer = await take(page, 'ask', server.origin);
    expect(answer).toMatchObject({ status: 200, body: { data: { ticket: { subject: 'Größe' } } } });
    expect(answer.headers).toContain('x-sealdesk-audit-event-id');
    expect(server.paths.filter((path) => path.includes('noble'))).toEqual([]);
    await page.close();
  }, 60_000);

  it('an answer to another request is refused', async () => {
    const page = await openRegisteredPage();
    gateway.answer = async (received) =>
      Response.json(await gateway.seal(received, '{}', { client_nonce: 'A'.repeat(22) }));
    expect(await take(page, 'refusal', server.origin)).toContain('EnvelopeOpenError');
    gateway.answer = null;
    await page.close();
  }, 60_000);

  it('a new signing key is followed, and its pin kept over a reload', async () => {
    const page = await openRegisteredPage();
    const next = createSigner();
    gateway.document = await documentOf(gateway.fake.tenantId, gateway.fake.signingKey, next);
    gateway.signer = next;
    expect((await take(page, 'ask', server.origin)).status).toBe(200);
    await page.reload();
    await untilReady(page);
    expect((await take(page, 'describe'))?.pins).toEqual([gateway.fake.signingKid, next.kid]);
    expect((await take(page, 'ask', server.origin)).status).toBe(200);
    expect(gateway.documentsRead).toBe(1);
    gateway.signer = gateway.fake.signingKey;
    await page.close();
  }, 60_000);

  it('a deleted key is gone', async () => {
    const page = await openRegisteredPage();
    await take(page, 'forget');
    expect(await take(page, 'describe')).toBeNull();
    await page.close();
  }, 60_000);

  it('without the algorithms the portable suite is loaded and does the same', async () => {
    const page = await openPage(browser, server.origin, (blank) =>
      blank.addInitScript(() => {
        Object.defineProperty(Object.getPrototypeOf(crypto.subtle), 'decapsulateBits', { value: undefined });
      }),
    );
    expect(await take(page, 'generate')).toMatchObject({ nonExtractable: false });
    expect(server.paths.some((path) => path.includes('noble'))).toBe(true);
    await take(page, 'register', server.origin, API_KEY);
    expect((await take(page, 'ask', server.origin)).status).toBe(200);
    await page.close();
  }, 60_000);
});
