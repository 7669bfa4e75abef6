/** Taking the steps of `page.ts` from a test. */
import type { BrowserContext, Page } from 'playwright-core';
import type { Steps } from './page.ts';

/** The page at `origin`, its steps ready. `prepare` sees it before any of its scripts run. */
export async function openPage(
  browser: BrowserContext,
  origin: string,
  prepare: (page: Page) => Promise<unknown> = async () => undefined,
): Promise<Page> {
  const page = await browser.newPage();
  await prepare(page);
  await page.goto(origin);
  await untilReady(page);
  return page;
}

export async function untilReady(page: Page): Promise<void> {
  await page.waitForFunction('globalThis.steps !== undefined');
}

/** One step of the page. */
export function take<Name extends keyof Steps>(
  page: Page,
  name: Name,
  ...args: Parameters<Steps[Name]>
): ReturnType<Steps[Name]> {
  const call = `steps[${JSON.stringify(name)}](...${JSON.stringify(args)})`;
  return page.evaluate(call) as ReturnType<Steps[Name]>;
}
