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

  it.each([
    [['HTTPS_WEBHOOK'], 0],
    [['HTTPS_WEBHOOK', 'S3'], 1],
    [['HTTPS_WEBHOOK', 'DIRECTORY'], 0],
  ])('offers buckets only where it has registered them: with %j', async (types, buckets) => {
    const other = await startConsoleHost('Express', { path: 'console', session: {} }, { types });
    const visitor = await ConsolePage.open(browser, `${other.url}/console`, {});
    try {
      await visitor.page.context().addCookies([{ name: 'session', value: 'alice', url: other.url }]);
      await visitor.page.reload();
      for (const path of ['agents/agt_1/add', 'agents/agt_1/add/s3']) {
        await visitor.go(path);
        // Nobody gets to a form whose sink would be refused, not by an address either.
        const isForm = path.endsWith('s3') && buckets > 0;
        await visitor.heading(isForm ? 'S3 bucket (outbound)' : 'Add a data source').waitFor();
        if (isForm) continue;
        expect(await visitor.link(/HTTPS webhook/).count()).toBe(1);
        expect(await visitor.link(/S3 bucket/).count()).toBe(buckets);
      }
    } finally {
      await visitor.page.context().close();
      await other.close();
    }
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
