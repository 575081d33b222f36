import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Body } from '../../support/platform/api-client.js';
import { type Agent, expectStatus, type Sink, sinkBody } from '../../support/platform/customer.js';
import { suitePlatform } from '../../support/platform/suite-platform.js';
import {
  type AcceptableUrl,
  addressesOf,
  endpointUrls,
  type HostileUrl,
  reportTried,
} from '../../support/egress/endpoint-urls.js';
import { noWayOut } from '../../support/egress/no-way-out.js';

const START = 'https://api.acme.org/start';
const MESSAGES = /^the address of this endpoint is not a public one$/;

/** What the world's name servers say now. */
let world: HostileUrl | AcceptableUrl = { url: START };

const platform = suitePlatform({
  options: {
    allowPrivateEndpoints: [],
    disableAfter: 100_000,
    ...{ testsPerMinute: 100_000, requestsPerMinute: 100_000, sinksPerAgent: 10_000, sinksPerWorkspace: 10_000 },
    resolver: async () => addressesOf(world),
  },
});

/** Where sockets of this process were led to: none of them may leave this machine. */
const reached = noWayOut();
beforeEach(() => void (world = { url: START }));

async function activeSink(): Promise<Sink> {
  return (await (await platform().customer()).agent({ retry_failed_push: 0 })).sink(START);
}

async function create(agent: Agent, url: string): Promise<Body> {
  return agent.api.post(`${agent.path}/data-sources`, sinkBody(url));
}

/** A table of some hundred requests on a busy machine. */
const TABLE_LIMIT_MS = 120_000;

describe('a URL of the table', () => {
  it(
    'is judged when a sink is made: nothing hostile gets in, nothing else is kept out',
    async () => {
      const agent = await (await platform().customer()).draftAgent();
      const wrong: string[] = [];
      const told = new Set<string>();
      const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
      for (world of endpointUrls.hostile) {
        const { status, body } = await create(agent, world.url);
        counts.hostile++;
        if (status === 422 && body.errors[0].pointer === '/config/url') {
          if ((world as HostileUrl).refusedAs === 'address_refused') told.add(body.errors[0].detail);
          expect(body.errors[0].detail).toMatch(/^must |^the address /);
          continue;
        }
        counts.accepted++;
        wrong.push(world.url);
      }
      for (world of endpointUrls.acceptable) {
        const { status, body } = await create(agent, world.url);
        counts.acceptable++;
        if (status === 201 && body.warnings.length === 0) continue;
        counts.overBlocked++;
        wrong.push(world.url);
      }
      reportTried('saving (POST)', counts);
      expect(wrong).toEqual([]);
      // One message for every refused address, or the difference would map our network.
      expect([...told]).toEqual(['the address of this endpoint is not a public one']);
      expect(reached).toEqual([]);
      expect((await platform().sql('SELECT 1 FROM agent_data_source WHERE agent_id = $1', [agent.id])).length).toBe(
        counts.acceptable,
      );
    },
    TABLE_LIMIT_MS,
  );

  it(
    'is judged when a sink is changed',
    async () => {
      const sink = await activeSink();
      const wrong: string[] = [];
      const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
      const move = (url: string): Promise<Body> =>
        sink.api.patch(sink.path, { config: { url }, secret: { value: 'the secret, once more, is long' } });
      for (world of endpointUrls.hostile) {
        counts.hostile++;
        if ((await move(world.url)).status === 422) continue;
        counts.accepted++;
        wrong.push(world.url);
      }
      expect(expectStatus(await sink.api.get(sink.path), 200)).toMatchObject({
        config: { url: START },
        configVersion: 1,
      });
      for (world of endpointUrls.acceptable) {
        counts.acceptable++;
        if ((await move(world.url)).status === 200) continue;
        counts.overBlocked++;
        wrong.push(world.url);
      }
      reportTried('saving (PATCH)', counts);
      expect(wrong).toEqual([]);
      expect(reached).toEqual([]);
    },
    TABLE_LIMIT_MS,
  );

  it(
    'is judged again by the Test button, though it is in the database',
    async () => {
      const sink = await activeSink();
      const wrong: string[] = [];
      const advice = new Set<string>();
      const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
      const press = async (url: string): Promise<Body> => {
        await sink.nowLeadsTo(url);
        return expectStatus(await sink.api.post(`${sink.path}/test`), 200);
      };
      // PostgreSQL keeps no NUL; such a URL cannot be in the database.
      for (world of endpointUrls.hostile.filter(({ url }) => !url.includes('\0'))) {
        const { passed, status, errorCode, advice: told } = await press(world.url);
        counts.hostile++;
        if (errorCode === 'address_refused') advice.add(told);
        if (!passed && status === 'BLOCKED' && reached.length === 0) continue;
        counts.accepted++;
        wrong.push(world.url);
      }
      for (world of endpointUrls.acceptable) {
        reached.length = 0;
        const { status } = await press(world.url);
        counts.acceptable++;
        if (status !== 'BLOCKED' && reached.length > 0) continue;
        counts.overBlocked++;
        wrong.push(`${world.url} ${status}`);
      }
      reportTried('the Test button', counts);
      expect(wrong).toEqual([]);
      expect(advice.size).toBe(1);
    },
    TABLE_LIMIT_MS,
  );

  it(
    'is judged at every attempt (a sample)',
    async () => {
      const sink = await activeSink();
      const wrong: string[] = [];
      const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
      const push = async (url: string): Promise<Body> => {
        await sink.nowLeadsTo(url);
        const { attempts } = await sink.settledPush();
        return attempts[0];
      };
      for (world of endpointUrls.hostile.filter(
        (entry, i) => (i % 6 === 0 || entry.resolvesTo) && !entry.url.includes('\0'),
      )) {
        const { status } = await push(world.url);
        counts.hostile++;
        if (status === 'BLOCKED' && reached.length === 0) continue;
        counts.accepted++;
        wrong.push(`${world.url} ${status}`);
      }
      for (world of endpointUrls.acceptable.filter((_, i) => i % 8 === 0)) {
        reached.length = 0;
        const { status } = await push(world.url);
        counts.acceptable++;
        if (status !== 'BLOCKED' && reached.length > 0) continue;
        counts.overBlocked++;
        wrong.push(`${world.url} ${status}`);
      }
      reportTried('an attempt', counts);
      expect(wrong).toEqual([]);
    },
    TABLE_LIMIT_MS,
  );
});

describe('saving an endpoint', () => {
  it('whose name does not resolve now is accepted with a warning', async () => {
    world = { url: START, resolvesTo: [] };
    const agent = await (await platform().customer()).draftAgent();
    const { warnings, id } = expectStatus(await create(agent, START), 201);
    expect(warnings).toEqual([expect.stringContaining('cannot be found now')]);
    const patch = { config: { url: 'https://api.acme.org/elsewhere' } };
    const changed = expectStatus(await agent.api.patch(`${agent.path}/data-sources/${id}`, patch), 200);
    expect(changed.warnings).toEqual(warnings);
  });

  it('logs the address for the operator, and does not show it to the customer', async () => {
    world = { url: START, resolvesTo: ['10.11.12.13'] };
    const agent = await (await platform().customer()).draftAgent();
    const refused = await create(agent, START);
    expect(expectStatus(refused, 422).errors).toEqual([
      { pointer: '/config/url', detail: expect.stringMatching(MESSAGES) },
    ]);
    expect(refused.text).not.toContain('10.11');
    await platform().logs.line(/endpoint\.refused.*10\.11\.12\.13/, agent.id);
  });

  it('does not check an unchanged URL', async () => {
    const sink = await activeSink();
    world = { url: START, resolvesTo: ['10.0.0.1'] };
    expectStatus(await sink.api.patch(sink.path, { status: 'INACTIVE', config: { retryableStatuses: [429] } }), 200);
  });
});
