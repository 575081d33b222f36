import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { PROBLEMS } from '../../../src/data-sinks/domain/errors.js';
import { launchChromium } from '../../support/browser/chromium.js';
import { ConsolePage } from '../../support/browser/console-page.js';
import { ask } from '../../support/guest/ask.js';
import { until } from '../../support/platform/until.js';
import { catalogueOf } from './messy-catalogue.js';
import type { MessyHost } from './messy-customer.js';
import { documentOf, type MessySpan, ownAnswersOf, ownQueueOf, ownTracesOf, signIn } from './messy-own.js';
import { type MessyPlaces, messyPlaces } from './messy-places.js';
import { storyOf } from './messy-story.js';
import type { HostProcess } from './host-process.js';
import type { StrangeWorld } from './strange-world.js';

const START_LIMIT_MS = 600_000;
const TRACING = ['--import', './messy-tracing.mjs'];

/**
 * Those that no request is sure to get: of sinks of the type S3, which need a bucket (`test/e2e/s3.test.ts`), and of a race
 * (`test/e2e/secret-rotation.test.ts`).
 */
const NOT_ASKED_FOR: readonly string[] = ['destination-missing', 'location-taken', 'changed-meanwhile'];

interface Report {
  readonly seenByWorker: readonly unknown[];
  readonly events: number;
  readonly spans: readonly MessySpan[];
}

/** Compares a host that has all habits at once with one that has none, and with itself without the module. */
export function describeMessyHost(world: () => StrangeWorld, script: string): void {
  const places: MessyPlaces[] = [];
  const hosts: Partial<Record<'tidy' | 'messy' | 'own', HostProcess>> = {};
  const host = (kind: keyof typeof hosts): HostProcess => {
    const found = hosts[kind];
    if (!found) throw new Error(`the ${kind} host did not start`);
    return found;
  };

  beforeAll(async () => {
    for (const kind of ['tidy', 'messy', 'own'] as const) {
      const place = await messyPlaces(world());
      places.push(place);
      hosts[kind] = await world().host(script, { ...place.environment, KIND: kind }, kind === 'tidy' ? [] : TRACING);
    }
  }, START_LIMIT_MS);
  afterAll(async () => {
    await Promise.all(Object.values(hosts).map((one) => one.stop()));
    await Promise.all(places.map((place) => place.stop()));
  });

  const tidy = (): MessyHost => ({
    api: `${host('tidy').origin}/api/v1`,
    finish: async (job) => host('tidy').send(job),
    erase: (jobId) => host('tidy').send({ op: 'erase', jobId }),
  });
  const messy = (): MessyHost => ({
    api: `${host('messy').origin}/backend/v2`,
    // In a request of the host's, whose context, span and transaction the worker is not to see.
    finish: async (job) => {
      const { origin } = host('messy');
      const headers = { Authorization: `Bearer ${await signIn(origin)}` };
      const asked = { method: 'POST', path: '/backend/v2/jobs', headers, body: JSON.stringify(job) };
      expect((await ask(origin, asked)).status).toBe(201);
    },
    erase: (jobId) => host('messy').send({ op: 'erase', jobId }),
  });

  const reportOf = async (kind: 'messy' | 'own'): Promise<Report> => {
    host(kind).send({ op: 'report' });
    return until(() => {
      const [, report] = /^report (.*)\n/m.exec(host(kind).output) ?? [];
      return report !== undefined && (JSON.parse(report) as Report);
    }, 'the host reports');
  };

  it('compiles strictly', () => {
    expect(world().diagnostics).toEqual([]);
  });

  it('has the customer’s story as a tidy host has it: answers, signed bytes, headers', async () => {
    const { receiver } = world();
    const [expected, found] = [await storyOf(tidy(), receiver), await storyOf(messy(), receiver)];
    expect(expected.story).toMatchObject({ test: true, push: { rows: 3, signatureIsValid: true }, pushes: 3 });
    expect(found.story).toEqual(expected.story);
    // The tidy host has no tracing; here it is the sink that asks for it.
    expect([expected.traced, found.traced]).toEqual([[], ['traceparent']]);
  });

  it('answers every error of the catalogue as a tidy host does', async () => {
    const { receiver } = world();
    const [expected, found] = [await catalogueOf(tidy(), receiver), await catalogueOf(messy(), receiver)];
    const told = JSON.stringify(expected);
    const missing = Object.entries(PROBLEMS).filter(
      ([code, { title }]) => !NOT_ASKED_FOR.includes(code) && !told.includes(`/${code}`) && !told.includes(title),
    );
    expect(missing).toEqual([]);
    expect(found).toEqual(expected);
  });

  describe('in a browser', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium();
    }, START_LIMIT_MS);
    afterAll(() => browser.close());

    it('has the console, which tests a sink and shows what was sent', async () => {
      const { origin } = host('messy');
      const endpoint = await world().receiver.endpoint();
      const visitor = await ConsolePage.open(browser, `${origin}/console`, {});
      await visitor.signIn('mt_all');
      await visitor.sees('The platform does not list its agents here.');
      await visitor.go('agents/agt_pro_console/add/https-webhook');
      await visitor.field('Name').fill('Lake');
      await visitor.field('Endpoint URL').fill(endpoint.url);
      await visitor.button('Save').click();
      await visitor.sees('Lake');
      await visitor.go('agents/agt_pro_console');
      await visitor.link(/Lake/).first().click();
      await messy().finish({ jobId: 'job_console', agentId: 'agt_pro_console', rows: 2 });
      await visitor.page.getByRole('table').getByText('Delivered').waitFor();
      expect(visitor.complaints).toEqual([]);
    });
  });

  it('leaves the host’s own routes as they were, and its document of them', async () => {
    const [expected, found] = [await ownAnswersOf(host('own').origin), await ownAnswersOf(host('messy').origin)];
    const statuses = expected.map((answer) => (answer as unknown[])[1]);
    expect(statuses).toEqual(expect.arrayContaining([200, 201, 204, 400, 401, 404, 429]));
    expect(found).toEqual(expected);
    const [own, both] = [await documentOf(host('own').origin), await documentOf(host('messy').origin)];
    expect(both).toMatchObject(own);
    const more = Object.keys(both.paths).filter((path) => !Object.hasOwn(own.paths, path));
    expect(more.length).toBeGreaterThan(5);
    expect(more.filter((path) => !path.startsWith('/backend/v2/'))).toEqual([]);
  });

  it('leaves the host’s own queues as they were', async () => {
    const [expected, found] = [await ownQueueOf(host('own').origin), await ownQueueOf(host('messy').origin)];
    const mail = { to: 'alice', attempts: 2, delay: 1_500, waitedForDelay: true };
    expect(expected).toEqual([
      { ...mail, attemptsMade: 0 },
      { ...mail, attemptsMade: 1 },
    ]);
    expect(found).toEqual(expected);
  });

  it('leaves the host’s own traces as they were, and works in the context of no request', async () => {
    const [own, messyReport] = [await reportOf('own'), await reportOf('messy')];
    const traces = ownTracesOf(own.spans);
    expect(traces.length).toBeGreaterThan(10);
    expect(ownTracesOf(messyReport.spans)).toEqual(traces);
    expect(messyReport.seenByWorker.length).toBeGreaterThan(5);
    expect(messyReport.seenByWorker.filter((id) => id !== null)).toEqual([]);
    // Our own span of an attempt is in the trace of the request that finished the job; the exchange has no second one.
    const attempts = messyReport.spans.filter(({ name }) => name === 'data_sinks.attempt');
    const finishing = new Set(
      messyReport.spans.filter(({ path }) => path === '/backend/v2/jobs').map(({ trace }) => trace),
    );
    expect(attempts.length).toBeGreaterThan(5);
    expect(attempts.filter(({ trace }) => finishing.has(trace)).length).toBeGreaterThan(5);
    const { port } = new URL((await world().receiver.endpoint()).url);
    expect(messyReport.spans.filter(({ address }) => address?.includes(`:${port}/`))).toEqual([]);
    expect(messyReport.events).toBeGreaterThan(5);
  });

  it('logs no warning, no error but the ones that were provoked, and ends when it is told to', async () => {
    const { output } = host('messy');
    const lines = output.split('\n').filter((line) => /\b(WARN|ERROR)\b/.test(line));
    expect(lines.filter((line) => !/DataSinks/.test(line))).toEqual([]);
    expect(['SIGTERM', 0]).toContain(await host('messy').stop());
  });
}
