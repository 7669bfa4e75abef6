/** The SDK in headless Chromium: keys that no script can read, kept over a reload, and sealed answers. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_KEY } from '../fake-gateway.ts';
import { createSealingGateway, createSigner, documentOf, type SealingGateway } from '../sealing-gateway.ts';
import type { Steps } from './page.ts';
import { type PageServer, startPageServer } from './page-server.ts';

const EXECUTABLE = '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const isMissing = !existsSync(EXECUTABLE);

describe.skipIf(isMissing && process.env['CI'] === undefined)('in Chromium', () => {
  let gateway: SealingGateway;
  let server: PageServer;
  let folder: string;
  let browser: BrowserContext;

  beforeAll(async () => {
    if (isMissing) throw new Error(`${EXECUTABLE} is missing: install Debian's package chromium`);
    gateway = await createSealingGateway();
    const REGISTRATION = /Sealdesk(?:Viewer|Register|Confirm)/;
    server = await startPageServer(() => (input, init) => {
      const body = new TextDecoder().decode(init?.body as Uint8Array | undefined);
      return REGISTRATION.test(body)
        ? gateway.fake.fetch(input, { ...init, body })
        : gateway.fetch(input, init);
    });
    folder = await mkdtemp(join(tmpdir(), 'sealdesk-chromium-'));
    browser = await chromium.launchPersistentContext(folder, {
      executablePath: EXECUTABLE,
      headless: true,
      args: ARGUMENTS,
    });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function openPage(): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(server.origin);
    await page.waitForFunction('globalThis.steps !== undefined');
    return page;
  }

  /** One step of the page. */
  function take<Name extends keyof Steps>(
    page: Page,
    name: Name,
    ...args: Parameters<Steps[Name]>
  ): ReturnType<Steps[Name]> {
    const call = `steps[${JSON.stringify(name)}](...${JSON.stringify(args)})`;
    return page.evaluate(call) as ReturnType<Steps[Name]>;
  }

  /** A page with a new key that is registered. */
  async function openRegisteredPage(): Promise<Page> {
    const page = await openPage();
    await take(page, 'generate');
    await take(page, 'register', server.origin, API_KEY);
    return page;
  }

  it('a key is made by the platform, outlives the page unread, and opens what was sealed in Node', async () => {
    const page = await openPage();
    const made = await take(page, 'generate');
    expect(made).toMatchObject({ nonExtractable: true, read: ['rejected', 'rejected'], state: 'FRESH' });
    const registered = await take(page, 'register', server.origin, API_KEY);
    expect(registered).toEqual({ status: 'CONFIRMED', keyId: gateway.fake.keyId });

    await page.reload();
    await page.waitForFunction('globalThis.steps !== undefined');
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
    await page.waitForFunction('globalThis.steps !== undefined');
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
    const page = await browser.newPage();
    await page.addInitScript(() => {
      Object.defineProperty(Object.getPrototypeOf(crypto.subtle), 'decapsulateBits', { value: undefined });
    });
    await page.goto(server.origin);
    await page.waitForFunction('globalThis.steps !== undefined');
    expect(await take(page, 'generate')).toMatchObject({ nonExtractable: false });
    expect(server.paths.some((path) => path.includes('noble'))).toBe(true);
    await take(page, 'register', server.origin, API_KEY);
    expect((await take(page, 'ask', server.origin)).status).toBe(200);
    await page.close();
  }, 60_000);
});
