/** Debian's Chromium without a window, on a profile of its own. Outside CI its suites skip where it is missing. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { describe } from 'vitest';

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

/** Declares a suite that needs Chromium. */
export const describeInChromium = describe.skipIf(isMissing && process.env['CI'] === undefined);

export interface Browser extends AsyncDisposable {
  readonly context: BrowserContext;
}

export async function openBrowser(): Promise<Browser> {
  if (isMissing) throw new Error(`${EXECUTABLE} is missing: install Debian's package chromium`);
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'sealdesk-chromium-'));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: EXECUTABLE,
    headless: true,
    args: ARGUMENTS,
  });
  resources.defer(() => context.close());
  const kept = resources.move();
  return { context, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
