import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Body } from '../../support/platform/api-client.js';
import { type Agent, expectStatus, Sink } from '../../support/platform/customer.js';
import { suitePlatform } from '../../support/platform/suite-platform.js';
import { addressesOf, reportTried } from '../../support/egress/endpoint-urls.js';
import { noWayOut } from '../../support/egress/no-way-out.js';
import { ACCEPTABLE_PLACES, HOSTILE_PLACES, type Place, SAVED_PLACES } from '../../support/s3/places.js';
import { s3SinkBody } from '../../support/s3/s3-sink.js';

const KEYS = { accessKeyId: 'AKIASAVED', secretAccessKey: 'secret-key-of-a-saved-sink' };
const FINE = { name: 'acme-results', endpointUrl: 'https://store.example.com', keys: KEYS };

/** What the world's name servers say now. */
let world: Place = { config: {} };

const platform = suitePlatform({
  options: {
    allowPrivateEndpoints: [],
    disableAfter: 100_000,
    ...{ testsPerMinute: 100_000, requestsPerMinute: 100_000, sinksPerAgent: 10_000, sinksPerWorkspace: 10_000 },
    resolver: async () => addressesOf({ url: '', ...(world.resolvesTo && { resolvesTo: world.resolvesTo }) }),
  },
});
const reached = noWayOut();
beforeEach(() => void (world = { config: {} }));

/** Each in a place of its own. Buckets at AWS are hosts of their own: where a bucket itself is at stake, it is at AWS. */
const configOf = ({ config }: Place, i: number): Record<string, unknown> => ({
  ...{ bucket: `acme-${i}`, ...('bucket' in config && { endpointUrl: null }) },
  ...config,
});

const create = (agent: Agent, config: object): Promise<Body> =>
  agent.api.post(`${agent.path}/data-sources`, s3SinkBody(FINE, 'in/', { config }));

async function savedSink(): Promise<Sink> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
  const { id } = expectStatus(await create(agent, {}), 201);
  return new Sink(agent, id as string, KEYS.secretAccessKey);
}

/** As if its name had led elsewhere when it was saved. */
async function nowAt(sink: Sink, place: Place): Promise<void> {
  world = place;
  reached.length = 0;
  await platform().sql('UPDATE agent_data_source SET config = config || $2::jsonb WHERE id = $1', [
    sink.id,
    JSON.stringify(configOf(place, 0)),
  ]);
}

const TABLE_LIMIT_MS = 240_000;

describe('a bucket, prefix, region or endpoint of the table', () => {
  it(
    'is judged when a sink is made: nothing hostile gets in, nothing else is kept out',
    async () => {
      const agent = await (await platform().customer()).draftAgent();
      const wrong: unknown[] = [];
      const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
      for (const [i, place] of HOSTILE_PLACES.entries()) {
        world = place;
        const { status, body } = await create(agent, configOf(place, i));
        counts.hostile++;
        const pointers = status === 422 ? body.errors.map(({ pointer }: Body) => pointer as string) : [];
        if (pointers.length === 1 && pointers[0] === place.pointer) continue;
        counts.accepted++;
        wrong.push([place, status, pointers]);
      }
      for (const [i, place] of ACCEPTABLE_PLACES.entries()) {
        world = place;
        const { status, body } = await create(agent, configOf(place, i));
        counts.acceptable++;
        if (status === 201) continue;
        counts.overBlocked++;
        wrong.push([place, status, body]);
      }
      reportTried('saving a bucket (POST)', counts);
      expect(wrong).toEqual([]);
      expect(reached).toEqual([]);
      expect(await platform().sql('SELECT 1 FROM agent_data_source WHERE agent_id = $1', [agent.id])).toHaveLength(
        counts.acceptable,
      );
    },
    TABLE_LIMIT_MS,
  );

  it(
    'is judged when a sink is changed, and what is refused changes nothing',
    async () => {
      const sink = await savedSink();
      const before = expectStatus(await sink.api.get(sink.path), 200);
      const wrong: unknown[] = [];
      const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
      const move = (place: Place, i: number): Promise<Body> => {
        world = place;
        return sink.api.patch(sink.path, { config: configOf(place, i), secret: KEYS });
      };
      for (const [i, place] of HOSTILE_PLACES.entries()) {
        const { status, body } = await move(place, i);
        counts.hostile++;
        if (status === 422 && body.errors[0].pointer === place.pointer) continue;
        counts.accepted++;
        wrong.push([place, status]);
      }
      expect(expectStatus(await sink.api.get(sink.path), 200)).toEqual(before);
      for (const [i, place] of ACCEPTABLE_PLACES.entries()) {
        const { status, body } = await move(place, i);
        counts.acceptable++;
        if (status === 200) continue;
        counts.overBlocked++;
        wrong.push([place, status, body]);
      }
      reportTried('saving a bucket (PATCH)', counts);
      expect(wrong).toEqual([]);
      expect(reached).toEqual([]);
    },
    TABLE_LIMIT_MS,
  );

  it(
    'is judged again by the Test button, also where its address has become another one since it was saved',
    async () => {
      const sink = await savedSink();
      const wrong: unknown[] = [];
      const advice = new Set<string>();
      const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
      const press = async (place: Place): Promise<Body> => {
        await nowAt(sink, place);
        return expectStatus(await sink.api.post(`${sink.path}/test`), 200);
      };
      for (const place of SAVED_PLACES) {
        const { passed, status, errorCode, advice: told } = await press(place);
        counts.hostile++;
        if (errorCode === 'address_refused') advice.add(told as string);
        if (!passed && status === 'BLOCKED' && reached.length === 0) continue;
        counts.accepted++;
        wrong.push([place, status, errorCode]);
      }
      for (const place of ACCEPTABLE_PLACES) {
        const { status } = await press(place);
        counts.acceptable++;
        if (status !== 'BLOCKED' && reached.length > 0) continue;
        counts.overBlocked++;
        wrong.push([place, status]);
      }
      reportTried('the Test button of a bucket', counts);
      expect(wrong).toEqual([]);
      expect(advice.size).toBe(1);
    },
    TABLE_LIMIT_MS,
  );

  it(
    'is judged at every attempt (a sample), also where its address has become another one since it was saved',
    async () => {
      const sink = await savedSink();
      const wrong: unknown[] = [];
      const counts = { hostile: 0, accepted: 0, acceptable: 0, overBlocked: 0 };
      const push = async (place: Place): Promise<Body> => {
        await nowAt(sink, place);
        const { attempts } = await sink.settledPush();
        return attempts[0];
      };
      for (const place of SAVED_PLACES.filter(({ resolvesTo }, i) => i % 6 === 0 || resolvesTo)) {
        const { status, manifestJson } = await push(place);
        counts.hostile++;
        if (status === 'BLOCKED' && reached.length === 0 && manifestJson?.[0]?.status !== 'written') continue;
        counts.accepted++;
        wrong.push([place, status]);
      }
      for (const place of ACCEPTABLE_PLACES.filter((_, i) => i % 8 === 0)) {
        const { status } = await push(place);
        counts.acceptable++;
        if (status !== 'BLOCKED' && reached.length > 0) continue;
        counts.overBlocked++;
        wrong.push([place, status]);
      }
      reportTried('an attempt at a bucket', counts);
      expect(wrong).toEqual([]);
    },
    TABLE_LIMIT_MS,
  );
});

describe('an S3 sink', () => {
  it('whose endpoint leads into our network by now is told so in one sentence, and the operator the address', async () => {
    const sink = await savedSink();
    world = { config: {}, resolvesTo: ['169.254.169.254'] };
    const refused = await sink.api.patch(sink.path, { config: { region: 'eu-west-1' }, secret: KEYS });
    expect(expectStatus(refused, 422).errors).toEqual([
      { pointer: '/config/endpointUrl', detail: 'the address of this endpoint is not a public one' },
    ]);
    expect(refused.text).not.toContain('169.254');
    expect(reached).toEqual([]);
    await platform().logs.line(/endpoint\.refused.*169\.254\.169\.254/, sink.agent.id);
  });
});
