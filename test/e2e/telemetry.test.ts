import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { METRICS } from '../../src/data-sinks/telemetry/metrics.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { s3Sink } from '../support/s3/s3-sink.js';
import { Bucket } from '../support/s3/store.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform();

/** Of Redis tells only a host that has one. */
const ABSENT = process.env['TEST_MODE'] === 'services' ? [] : ['data_sinks_redis_up'];

async function scrape(): Promise<string> {
  const answer = await platform().client(null).get('/metrics');
  expect(answer.status).toBe(200);
  return answer.text;
}

/** The names of the series of an answer, those of histograms with their endings. */
function namesOf(text: string): ReadonlySet<string> {
  return new Set(text.split('\n').flatMap((line) => /^([a-z_]+)[{ ]/.exec(line)?.[1] ?? []));
}

function valueOf(text: string, series: RegExp): number {
  const line = text.split('\n').find((one) => series.test(one));
  return line === undefined ? Number.NaN : Number(line.split(' ').at(-1));
}

async function traffic(): Promise<void> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
  const good = await agent.sink(await platform().receiver.endpoint());
  const gone = await agent.sink(await platform().receiver.endpoint([{ kind: 'answer', status: 410 }]));
  const { id } = await good.settledPush();
  // A first push is handed over to the worker; a redelivery is claimed.
  await good.api.post(`deliveries/${id}/redeliver`);
  await agent.customer.settled(id);
  await until(async () => (await gone.api.get(gone.path)).body.status === 'DISABLED', 'the sink is disabled');
}

describe('/metrics', () => {
  it('counts delivered and failed deliveries, attempts and their phases', async () => {
    await traffic();
    const text = await until(async () => {
      const found = await scrape();
      return valueOf(found, /^data_sinks_sinks_disabled_total\{.*RECEIVER_GONE/) >= 1 && found;
    }, 'the metrics tell of it');
    expect(valueOf(text, /^data_sinks_deliveries_total\{.*outcome="delivered"/)).toBeGreaterThanOrEqual(1);
    expect(valueOf(text, /^data_sinks_deliveries_total\{.*outcome="failed"/)).toBeGreaterThanOrEqual(1);
    expect(valueOf(text, /^data_sinks_attempts_total\{.*status="SUCCEEDED"/)).toBeGreaterThanOrEqual(1);
    expect(valueOf(text, /^data_sinks_attempt_phase_duration_seconds_count\{.*phase="total"/)).toBeGreaterThanOrEqual(
      2,
    );
    expect(valueOf(text, /^data_sinks_payload_built_bytes_total/)).toBeGreaterThan(0);
    expect(valueOf(text, /^data_sinks_claim_size_count/)).toBeGreaterThanOrEqual(1);
    expect(valueOf(text, /^data_sinks_queue_depth\{.*state="waiting"/)).toBeGreaterThanOrEqual(0);
  });

  it('has every metric of the module, and no customer data', async () => {
    await traffic();
    const text = await scrape();
    const missing = Object.keys(METRICS)
      .map((name) => name.replaceAll('.', '_'))
      .filter((name) => !text.includes(`# TYPE ${name}`));
    expect(missing).toEqual(ABSENT);
    expect(text).not.toMatch(/(ads|agt|ws|dlv|job)_0/);
  });

  it.each(['dashboard.json', 'alerts.yml'])('has every metric that docs/grafana/%s names', async (file) => {
    await traffic();
    const page = readFileSync(new URL(`../../docs/grafana/${file}`, import.meta.url), 'utf8');
    const named = [...new Set(page.match(/data_sinks_[a-z_]+/g))];
    expect(named.length).toBeGreaterThan(4);
    const names = namesOf(await scrape());
    expect(named.filter((name) => !names.has(name))).toEqual(ABSENT);
  });
});

describe('a bucket in /metrics', () => {
  const S3 = /^data_sinks_attempts_total\{(?=.*type="S3")(?=.*status="SUCCEEDED")/;
  const WEBHOOK = /^data_sinks_attempts_total\{(?=.*type="HTTPS_WEBHOOK")(?=.*status="SUCCEEDED")/;

  it('is told apart from an endpoint: attempts, their duration, deliveries and what was disabled', async () => {
    const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
    const bucket = await Bucket.make();
    const before = await scrape();
    // They begin at zero, so that the first failure is an increase.
    for (const type of ['S3', 'HTTPS_WEBHOOK'])
      expect(before).toMatch(
        new RegExp(`^data_sinks_deliveries_total\\{(?=.*type="${type}")(?=.*outcome="failed")`, 'm'),
      );
    const sink = await s3Sink(agent, bucket, 'metrics/');
    const wrong = await s3Sink(agent, bucket, 'wrong/', {
      secret: { ...bucket.keys, secretAccessKey: 'a-wrong-secret-key' },
    });
    const jobId = await agent.finishJob();
    for (const each of [sink, wrong]) await agent.customer.settled((await each.deliveryOf(jobId)).id as string);
    const text = await until(async () => {
      const found = await scrape();
      return valueOf(found, S3) > valueOf(before, S3) && found;
    }, 'the metrics tell of the bucket');
    expect(valueOf(text, S3)).toBe(valueOf(before, S3) + 1);
    expect(valueOf(text, WEBHOOK)).toBe(valueOf(before, WEBHOOK));
    const shown = (name: string, ...labels: string[]) =>
      valueOf(text, new RegExp(`^${name}\\{${labels.map((label) => `(?=.*${label})`).join('')}`));
    expect(shown('data_sinks_attempts_total', 'type="S3"', 'error_code="bucket_keys_refused"')).toBe(1);
    expect(shown('data_sinks_deliveries_total', 'type="S3"', 'outcome="delivered"')).toBe(1);
    expect(shown('data_sinks_deliveries_total', 'type="S3"', 'outcome="failed"')).toBe(1);
    expect(shown('data_sinks_attempt_phase_duration_seconds_count', 'type="S3"', 'phase="total"')).toBe(2);
    expect(shown('data_sinks_sinks_disabled_total', 'type="S3"', 'reason="RECEIVER_GONE"')).toBe(0);
  });
});

describe('/healthz', () => {
  it('reports the state of the database, the wake-ups and the queue', async () => {
    const { status, body } = await platform().client(null).get('/healthz');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', database: 'up' });
    expect([null, 'up']).toContain(body.redis);
    expect(body.oldestDueAgeMs).toBeGreaterThanOrEqual(0);
  });

  it('returns 503 when a migration of the module is pending', async () => {
    const migration = 'DisableSinksAndExpire1764300000000';
    await platform().sql(`UPDATE migrations SET name = 'x' || name WHERE name = $1`, [migration]);
    try {
      expect(await platform().client(null).get('/healthz')).toMatchObject({ status: 503 });
    } finally {
      await platform().sql(`UPDATE migrations SET name = $1 WHERE name = 'x' || $1::text`, [migration]);
    }
    expect(await platform().client(null).get('/healthz')).toMatchObject({ status: 200 });
  });
});
