import { afterAll, afterEach, beforeAll, jest } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext } from 'playwright-core';
import type { DataSinksOptions } from '../../../src/data-sinks/index.js';
import type { Customer } from '../platform/customer.js';
import { type Platform, type PlatformRequest, startPlatform } from '../platform/start-platform.js';
import { launchChromium } from './chromium.js';
import { ConsolePage, type View } from './console-page.js';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** A browser may have to be installed first. */
const START_LIMIT_MS = 300_000;
const TEST_LIMIT_MS = 300_000;

export interface SuiteConsole {
  readonly platform: () => Platform;
  /** A new visitor's tab at the console. */
  readonly visit: (view?: Partial<View>) => Promise<ConsolePage>;
  /** The same, signed in with a customer's token. */
  readonly visitAs: (customer: Customer) => Promise<ConsolePage>;
}

/**
 * A platform and a browser for all tests of a file; visitors are closed after each test.
 * @param more what else the platform has, once what the file has started before is there
 */
export function suiteConsole(
  options: DataSinksOptions = {},
  more: () => Pick<PlatformRequest, 'destinations'> = () => ({}),
): SuiteConsole {
  let platform: Platform | null = null;
  let browser: Browser | null = null;
  let contexts: BrowserContext[] = [];
  jest.setTimeout(TEST_LIMIT_MS);

  beforeAll(async () => {
    buildConsole();
    browser = await launchChromium();
    platform = await startPlatform({ mode: 'embedded', options, ...more() });
  }, START_LIMIT_MS);
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
  });
  afterAll(async () => {
    await browser?.close();
    await platform?.stop();
  }, START_LIMIT_MS);

  const running = (): Platform => {
    if (!platform) throw new Error('the platform runs within tests only');
    return platform;
  };
  const visit = async (view: Partial<View> = {}): Promise<ConsolePage> => {
    if (!browser) throw new Error('the browser runs within tests only');
    const visitor = await ConsolePage.open(browser, `${running().origin}/console`, view);
    contexts.push(visitor.page.context());
    return visitor;
  };
  const visitAs = async ({ workspaceId }: Customer): Promise<ConsolePage> => {
    const visitor = await visit();
    await visitor.signIn(await running().token(workspaceId));
    return visitor;
  };
  return { platform: running, visit, visitAs };
}

/** Builds the page from its current sources, if needed. */
export function buildConsole(): void {
  const { status, stderr } = spawnSync(process.execPath, ['.ci/build-console.js'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the console does not build:\n${stderr}`);
}
