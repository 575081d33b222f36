import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ConsolePage } from '../support/browser/console-page.js';
import { isTooWide, takeScreenshots } from '../support/browser/gallery.js';
import { aWeek, writeHistory } from '../support/browser/history.js';
import { suiteConsole } from '../support/browser/suite-console.js';
import { type Agent, resultRows, type Sink } from '../support/platform/customer.js';

const { platform, visit } = suiteConsole({ retryWaitsMs: [100, 240_000] });

interface World {
  readonly token: string;
  readonly agent: Agent;
  readonly sink: Sink;
  readonly failing: Sink;
  readonly retryingId: string;
  readonly failedId: string;
}

let world: World;
let screens = 0;
const seen: string[] = [];

async function makeWorld(): Promise<World> {
  const customer = await platform().customer();
  const agent = await customer.agent();
  await customer.api.post('agents', { name: 'Room types, Iberia' });
  const endpoint = await platform().receiver.endpoint();
  const sink = await agent.sink(endpoint, { name: 'Internal BI ingest' });
  const refusing = await platform().receiver.endpoint([
    { kind: 'answer' },
    { kind: 'answer', status: 400, body: '{ "error": "unknown partner" }' },
    { kind: 'answer', status: 503, body: 'upstream is restarting' },
  ]);
  const failing = await agent.sink(refusing, {
    name: 'Partner portal',
    config: { url: refusing.url, authScheme: 'Bearer' },
  });
  const delivered = await sink.settledPush();
  await writeHistory(platform(), delivered.id, aWeek(Date.now()));
  await customer.settled((await failing.deliveryOf(delivered.jobId)).id);
  const failed = await failing.settledPush(resultRows(40));
  const jobId = await agent.finishJob(resultRows(12));
  const waiting = await failing.deliveryOf(jobId);
  await customer.deliveryWhen(
    waiting.id,
    ({ attemptCount, status }) => attemptCount === 2 && status === 'RETRYING',
    'it waits',
  );
  const token = await platform().token(customer.workspaceId);
  return { token, agent, sink, failing, retryingId: waiting.id, failedId: failed.id };
}

interface ScreenCase {
  readonly name: string;
  /** Where it is, behind the `#/`; null is the login. */
  readonly at: ((world: World) => string) | null;
  /** Until it shows what it is for. */
  readonly ready: (visitor: ConsolePage) => Promise<void>;
}

const SCREENS: readonly ScreenCase[] = [
  { name: 'sign-in', at: null, ready: (visitor) => visitor.heading('Sign in').waitFor() },
  { name: 'agents', at: () => '', ready: (visitor) => visitor.sees('Draft') },
  {
    name: 'agent',
    at: ({ agent }) => `agents/${agent.id}`,
    ready: async (visitor) => {
      await visitor.sees(/Of the last 3: 1 delivered, 1 failed, 1 under way/);
      await visitor.page.getByRole('switch').waitFor();
    },
  },
  {
    name: 'auto-push',
    at: ({ agent }) => `agents/${agent.id}`,
    ready: async (visitor) => {
      await visitor.page.getByRole('switch', { checked: true }).click();
      await visitor.page.getByRole('switch', { checked: false }).click();
      await visitor.page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'add',
    at: ({ agent }) => `agents/${agent.id}/add`,
    ready: (visitor) => visitor.sees('HTTPS webhook (outbound)'),
  },
  {
    name: 'add-webhook',
    at: ({ agent }) => `agents/${agent.id}/add/https-webhook`,
    ready: async (visitor) => {
      await visitor.field('Name').fill('Warehouse');
      await visitor.field('Endpoint URL').fill('https://localhost/results');
      await visitor.page.getByText('More settings').click();
      await visitor.button('Add a header').click();
      await visitor.button('Save').click();
      await visitor.page.locator('[aria-invalid="true"]').first().waitFor();
    },
  },
  {
    name: 'secret-once',
    at: ({ agent }) => `agents/${agent.id}/add/https-webhook`,
    ready: async (visitor) => {
      await visitor.field('Name').fill('Data warehouse');
      await visitor.field('Endpoint URL').fill('https://ingest.acme.com/mapping-results');
      await visitor.button('Save').click();
      await visitor.heading('Your signing secret').waitFor();
    },
  },
  {
    name: 'deliveries',
    at: ({ agent, failing }) => `agents/${agent.id}/data-sources/${failing.id}`,
    ready: (visitor) => visitor.sees(/next attempt in \d min/),
  },
  {
    name: 'chart',
    at: ({ agent, sink }) => `agents/${agent.id}/data-sources/${sink.id}`,
    ready: async (visitor) => {
      await visitor.button('7 days').click();
      await visitor.page.getByRole('img', { name: /in the last 7 days/ }).waitFor();
    },
  },
  {
    name: 'attempts',
    at: ({ agent, sink }) => `agents/${agent.id}/data-sources/${sink.id}/attempts`,
    ready: (visitor) => visitor.sees('The newest 100 attempts'),
  },
  {
    name: 'test-passed',
    at: ({ agent, sink }) => `agents/${agent.id}/data-sources/${sink.id}/test`,
    ready: async (visitor) => {
      await visitor.button('Send a test').click();
      await visitor.sees('It works');
    },
  },
  {
    name: 'test-failed',
    at: ({ agent, failing }) => `agents/${agent.id}/data-sources/${failing.id}/test`,
    ready: async (visitor) => {
      await visitor.button('Send a test').click();
      await visitor.sees('The test failed');
    },
  },
  {
    name: 'settings',
    at: ({ agent, sink }) => `agents/${agent.id}/data-sources/${sink.id}/settings`,
    ready: (visitor) => visitor.heading('Facts').waitFor(),
  },
  {
    name: 'delete',
    at: ({ agent, sink }) => `agents/${agent.id}/data-sources/${sink.id}/settings`,
    ready: async (visitor) => {
      await visitor.button('Delete this data source').click();
      await visitor.page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'push-by-hand',
    at: ({ agent, sink }) => `agents/${agent.id}/data-sources/${sink.id}`,
    ready: async (visitor) => {
      await visitor.button('Push a job').click();
      await visitor.page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'delivery-retrying',
    at: ({ retryingId }) => `deliveries/${retryingId}`,
    ready: (visitor) => visitor.sees(/next attempt in/),
  },
  {
    name: 'delivery-failed',
    at: ({ failedId }) => `deliveries/${failedId}`,
    ready: async (visitor) => {
      await visitor.page.getByText('Answer and details').first().click();
      await visitor.sees('unknown partner');
    },
  },
  {
    name: 'no-such-screen',
    at: () => 'nowhere',
    ready: (visitor) => visitor.heading('There is nothing here').waitFor(),
  },
];

describe('each screen of the console', () => {
  beforeAll(async () => {
    world = await makeWorld();
  });

  afterAll(() => {
    process.stdout.write(`axe: ${seen.length} findings on ${screens} screens, each in light and dark\n`);
  });

  it.each(SCREENS)(
    '$name: axe finds nothing in light and dark, and it fits into 360 pixels',
    async ({ name, at, ready }) => {
      const visitor = await visit();
      if (at) {
        await visitor.signIn(world.token);
        await visitor.go(at(world));
      }
      await ready(visitor).catch(async (error: unknown) => {
        throw new Error(`the page shows: ${await visitor.page.locator('body').innerText()}`, { cause: error });
      });
      await takeScreenshots(visitor, name);
      const findings = await visitor.axeFindings();
      seen.push(...findings);
      screens += 1;
      expect(findings).toEqual([]);
      expect(await isTooWide(visitor)).toBe(false);
      expect(visitor.complaints).toEqual([]);
    },
  );
});
