import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../support/browser/chromium.js';
import { type ConsoleHost, startConsoleHost } from '../support/browser/console-host.js';
import { ConsolePage } from '../support/browser/console-page.js';
import { buildConsole } from '../support/browser/suite-console.js';

let browser: Browser;
let host: ConsoleHost;

beforeAll(async () => {
  buildConsole();
  browser = await launchChromium();
  host = await startConsoleHost('Fastify', { path: 'console', session: { signInUrl: '/sign-in' } });
}, 300_000);

afterAll(async () => {
  await browser.close();
  await host.close();
});

describe('a host that has a session of its own', () => {
  it('lets in by its cookie: there is no sign-in, and signing out is the host’s', async () => {
    const visitor = await ConsolePage.open(browser, `${host.url}/healthy`, {});
    await visitor.page.context().addCookies([{ name: 'session', value: 'alice', url: host.url }]);
    await visitor.page.goto(`${host.url}/console`);
    await visitor.heading('No agents yet').waitFor();
    expect(await visitor.button('Sign out').count()).toBe(0);
    await visitor.page.context().close();
  });

  it('leads to its own sign-in when it does not let in', async () => {
    const visitor = await ConsolePage.open(browser, `${host.url}/console`, {});
    const link = visitor.link('Sign in');
    await link.waitFor();
    expect(await link.getAttribute('href')).toBe('/sign-in');
    expect(await visitor.axeFindings()).toEqual([]);
    await visitor.page.context().close();
  });
});
