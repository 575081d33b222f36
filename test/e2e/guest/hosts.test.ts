import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { type Asked, told } from '../../support/guest/ask.js';
import { AGENT, type Framework, type GuestHost, JOB_ID, startGuestHost } from '../../support/guest/guest-host.js';
import { HABITS } from '../../support/guest/habits.js';
import { openMigratedPglite } from '../../support/pglite-template.js';
import { Receiver } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';

const SINKS = `/api/v1/agents/${AGENT}/data-sources`;

let database: DataSource;
let receiver: Receiver;
let sinkId: string;
let deliveryId: string;
let sha256: string;

const body = (more: object = {}): string =>
  JSON.stringify({
    role: 'RESULTS_SINK',
    type: 'HTTPS_WEBHOOK',
    name: 'Internal BI ingest',
    config: { url: 'https://acme.com/', authScheme: 'HmacSha256' },
    secret: { value: 'a-secret-of-at-least-32-characters' },
    format: 'JSON',
    ...more,
  });

beforeAll(async () => {
  database = await openMigratedPglite(dataSinksMigrations, dataSinksEntities);
  receiver = await Receiver.start();
  const { url } = await receiver.endpoint();
  const host = await startGuestHost({ framework: 'Express', database });
  const made = await host.ask({
    method: 'POST',
    path: SINKS,
    body: body({ config: { url, authScheme: 'HmacSha256' } }),
  });
  sinkId = (JSON.parse(made.text) as { id: string }).id;
  // As the requests below leave it.
  await host.ask({ method: 'PATCH', path: `${SINKS}/${sinkId}`, body: '{"name":"Another"}' });
  const push = { method: 'POST', path: `${SINKS}/${sinkId}/pushes`, body: JSON.stringify({ jobId: JOB_ID }) };
  deliveryId = (JSON.parse((await host.ask(push)).text) as { id: string }).id;
  const delivered = await until(async () => {
    const { text } = await host.ask({ path: `/api/v1/deliveries/${deliveryId}` });
    const delivery = JSON.parse(text) as { status: string; payload: { sha256: string } };
    return delivery.status === 'DELIVERED' ? delivery : null;
  }, 'the job is delivered');
  ({ sha256 } = delivered.payload);
  await host.close();
}, 240_000);

afterAll(async () => {
  await receiver?.stop();
  await database?.destroy();
});

/** What a customer's program sends, right and wrong. */
const requests = (): readonly Asked[] => {
  const sink = `${SINKS}/${sinkId}`;
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  return [
    { path: `${SINKS}?limit=1` },
    { path: `${SINKS}?limit=abc` },
    { path: `${SINKS}?limit=5&unknown=1` },
    { path: `${SINKS}?limit[a]=1` },
    { path: `${SINKS}?cursor=none` },
    { path: `${sink}/deliveries` },
    { path: `${sink}/deliveries?status=DELIVERED,FAILED&order=oldest` },
    { path: `${sink}/deliveries?status=DELIVERED&status=FAILED` },
    { path: `${sink}/syncs?limit=2` },
    { path: `${SINKS}/ads_none` },
    { path: SINKS, headers: { Authorization: 'Bearer mt_wrong' } },
    { path: `/api/v1/deliveries/${deliveryId}` },
    { path: `/api/v1/deliveries/${deliveryId}/payload` },
    { path: `/api/v1/deliveries/${deliveryId}/payload`, method: 'HEAD' },
    { path: sink, method: 'PATCH', body: '{"name":5}' },
    { path: sink, method: 'PATCH', body: '{"name":"Another"}' },
    { path: sink, method: 'PATCH', body: '[]' },
    { path: sink, method: 'PATCH', body: '{"name":' },
    { path: sink, method: 'PATCH', body: '{"nothing":1}' },
    { path: SINKS, method: 'POST', body: body({ secret: { value: 1234567890123456 } }) },
    {
      path: SINKS,
      method: 'POST',
      body: body({ config: { url: 'https://acme.com/', authScheme: 'HmacSha256', sendTraceparent: 'false' } }),
    },
    { path: SINKS, method: 'POST', body: body(), headers: form },
    { path: SINKS, method: 'POST', body: 'a=1', headers: form },
    { path: SINKS, method: 'POST', body: '<a/>', headers: { 'Content-Type': 'text/xml' } },
    { path: SINKS, method: 'POST', body: ' '.repeat(70_000) },
    { path: SINKS, method: 'POST' },
    { path: `${SINKS}/ads_00000000000000000000000000`, method: 'DELETE' },
  ];
};

/** Each request, in turn; and what it makes is unmade. */
async function answers(host: GuestHost, prefix = ''): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const asked of requests()) {
    const answer = await host.ask({ ...asked, path: `${prefix}${asked.path}` });
    all.push([`${asked.method ?? 'GET'} ${asked.path} ${(asked.body ?? '').slice(0, 80)}`, told(answer)]);
    if (answer.status !== 201) continue;
    const { id } = JSON.parse(answer.text) as { id: string };
    await host.ask({ method: 'DELETE', path: `${prefix}${SINKS}/${id}` });
  }
  return all;
}

describe.each<[Framework]>([['Express'], ['Fastify']])('on %s, a host changes none of our answers', (framework) => {
  let tidy: unknown[];

  beforeAll(async () => {
    const host = await startGuestHost({ framework, database, module: { worker: false } });
    tidy = await answers(host);
    await host.close();
  }, 120_000);

  it('with default settings has the documented headers', () => {
    const statuses = (tidy as [string, { status: number }][]).map(([asked, { status }]) => [
      asked.split(' ', 1)[0],
      status,
    ]);
    expect(statuses).toEqual([
      ...[200, 422, 422, 422, 400, 200, 200, 200, 200, 404, 401, 200, 200].map((status) => ['GET', status]),
      ['HEAD', 200],
      ...[422, 200, 422, 400, 422].map((status) => ['PATCH', status]),
      ...[422, 422, 201, 415, 415, 413, 422].map((status) => ['POST', status]),
      ['DELETE', 404],
    ]);
    const digest = Buffer.from(sha256, 'hex').toString('base64');
    expect(tidy[12]).toMatchObject([
      expect.stringContaining('/payload'),
      { headers: { 'content-digest': `sha-256=:${digest}:`, 'cache-control': 'no-store, no-transform' } },
    ]);
    for (const [, { status, headers }] of tidy as [string, { status: number; headers: Record<string, string> }][]) {
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
      if (status >= 400) expect(headers['content-type']).toBe('application/problem+json');
    }
  });

  it('that says what its own headers depend on still does, beside what ours depend on', async () => {
    const guest = await startGuestHost({
      framework,
      database,
      module: { worker: false },
      configure: (app) => app.enableCors({ origin: [/\.acme\.com$/] }),
    });
    const headers = { Origin: 'https://app.acme.com' };
    const answer = await guest.ask({ path: `/api/v1/deliveries/${deliveryId}/payload`, headers });
    await guest.close();
    expect(answer).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': 'https://app.acme.com' } });
    expect(answer.headers['vary']?.split(', ').sort()).toEqual(['Accept', 'Origin']);
  });

  it.each(
    HABITS.filter(({ only }) => only === undefined || only === framework).map((habit) => [habit.name, habit] as const),
  )(
    'that has %s',
    async (_name, { host, configure, prefix }) => {
      const guest = await startGuestHost({
        framework,
        database,
        module: { worker: false },
        ...(host && { host }),
        ...(configure && { configure }),
      });
      try {
        expect(await answers(guest, prefix)).toEqual(tidy);
      } finally {
        await guest.close();
      }
    },
    120_000,
  );
});
