import { describe, expect, it } from '@jest/globals';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { METRICS } from '../../../../src/data-sinks/telemetry/metrics.js';
import type { QueueState, Standing } from '../../../../src/data-sinks/telemetry/gauges.js';
import { type MeasuredAttempt, Telemetry } from '../../../../src/data-sinks/telemetry/telemetry.js';

const ATTEMPT: MeasuredAttempt = {
  errorCode: 'receiver_error',
  status: 'HTTP_5XX',
  timings: { dnsMs: null, connectMs: 5, tlsMs: null, uploadMs: 1, waitMs: 14, totalMs: 20 },
};
const IDLE: QueueState = {
  ...{ waiting: 0, inFlight: 0, lateMs: 0, workers: 1 },
  heldBackMs: { disabled: 0, circuit: 0, pace: 0, cap: 0 },
};
const WELL: Standing = { databaseUp: true, redisUp: true, away: [] };
const standing = async (): Promise<Standing> => WELL;

function measured(): { telemetry: Telemetry; collect: () => Promise<Record<string, Record<string, unknown>[]>> } {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const telemetry = new Telemetry({ meterProvider: new MeterProvider({ readers: [reader] }) });
  const collect = async (): Promise<Record<string, Record<string, unknown>[]>> => {
    const { resourceMetrics } = await reader.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    return Object.fromEntries(
      metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map((p) => ({ ...p.attributes, value: p.value })),
      ]),
    );
  };
  return { telemetry, collect };
}

describe('telemetry', () => {
  it('records the phases that an attempt reached, and no others', async () => {
    const { telemetry, collect } = measured();
    telemetry.attempted(ATTEMPT, 'HTTPS_WEBHOOK');
    const phases = (await collect())['data_sinks.attempt.phase.duration_seconds'];
    expect(phases?.map(({ phase }) => phase)).toEqual(['connect', 'upload', 'wait', 'total']);
    expect(phases?.at(-1)).toMatchObject({ value: { count: 1, sum: 0.02 } });
  });

  it('measures every phase of an attempt that had them all', async () => {
    const { telemetry, collect } = measured();
    telemetry.attempted(
      {
        status: 'SUCCEEDED',
        errorCode: null,
        timings: { dnsMs: 1, connectMs: 2, tlsMs: 3, uploadMs: 4, waitMs: 5, totalMs: 15 },
      },
      'HTTPS_WEBHOOK',
    );
    const phases = (await collect())['data_sinks.attempt.phase.duration_seconds'];
    expect(phases?.map(({ phase, value }) => [phase, (value as { sum: number }).sum])).toEqual([
      ...[
        ['dns', 0.001],
        ['connect', 0.002],
        ['tls', 0.003],
        ['upload', 0.004],
        ['wait', 0.005],
        ['total', 0.015],
      ],
    ]);
  });

  it('counts attempts by status and error code, so that those without a retry can be distinguished', async () => {
    const { telemetry, collect } = measured();
    telemetry.attempted({ ...ATTEMPT, status: 'SUCCEEDED', errorCode: null }, 'HTTPS_WEBHOOK');
    telemetry.attempted({ ...ATTEMPT, status: 'NETWORK_ERROR', errorCode: 'stale_connection' }, 'HTTPS_WEBHOOK');
    telemetry.attempted({ ...ATTEMPT, status: 'NETWORK_ERROR', errorCode: 'connection_reset' }, 'HTTPS_WEBHOOK');
    const counted = (await collect())['data_sinks.attempts']?.filter(({ value }) => value !== 0);
    expect(counted).toEqual([
      { status: 'SUCCEEDED', type: 'HTTPS_WEBHOOK', value: 1 },
      { status: 'NETWORK_ERROR', type: 'HTTPS_WEBHOOK', error_code: 'stale_connection', value: 1 },
      { status: 'NETWORK_ERROR', type: 'HTTPS_WEBHOOK', error_code: 'connection_reset', value: 1 },
    ]);
  });

  it('counts and measures by the type of sink, and without one where the sink’s row is gone', async () => {
    const { telemetry, collect } = measured();
    telemetry.attempted(ATTEMPT, 'S3');
    for (const type of ['S3', 'HTTPS_WEBHOOK', null]) telemetry.ended('cancelled', type);
    telemetry.sinkDisabled('REPEATED_5XX', 'S3');
    const shown = await collect();
    expect(shown['data_sinks.attempts']).toEqual([
      { status: 'HTTP_5XX', type: 'S3', error_code: 'receiver_error', value: 1 },
    ]);
    expect(shown['data_sinks.attempt.phase.duration_seconds']?.map(({ type }) => type)).toEqual(Array(4).fill('S3'));
    expect(shown['data_sinks.deliveries']).toEqual([
      { outcome: 'cancelled', type: 'S3', value: 1 },
      { outcome: 'cancelled', type: 'HTTPS_WEBHOOK', value: 1 },
      { outcome: 'cancelled', value: 1 },
    ]);
    expect(shown['data_sinks.sinks.disabled']).toEqual([{ reason: 'REPEATED_5XX', type: 'S3', value: 1 }]);
  });

  it('initialises the counters of every type that is offered at zero, so that the first failure is an increase', async () => {
    const { telemetry, collect } = measured();
    telemetry.beginAtZero(['HTTPS_WEBHOOK', 'S3']);
    const shown = await collect();
    expect(shown['data_sinks.deliveries']).toEqual(
      ['HTTPS_WEBHOOK', 'S3'].flatMap((type) =>
        ['delivered', 'failed', 'cancelled'].map((outcome) => ({ outcome, type, value: 0 })),
      ),
    );
    for (const name of ['data_sinks.attempts', 'data_sinks.sinks.disabled'])
      expect(new Set(shown[name]?.map(({ type, value }) => `${type as string} ${value as number}`))).toEqual(
        new Set(['HTTPS_WEBHOOK 0', 'S3 0']),
      );
    expect(shown['data_sinks.lease.expired']).toEqual([{ value: 0 }]);
  });

  it('queries the queue at most every 15 seconds, however often metrics are collected', async () => {
    const { telemetry, collect } = measured();
    let [asked, nowMs] = [0, 0];
    const read = async (): Promise<QueueState> => ({ ...IDLE, waiting: (asked += 1) });
    const stop = telemetry.watch({ queue: read, standing, nowMs: () => nowMs });
    await collect();
    nowMs = 14_999;
    expect((await collect())['data_sinks.queue.depth']).toContainEqual({ state: 'waiting', value: 1 });
    nowMs = 15_000;
    expect((await collect())['data_sinks.queue.depth']).toContainEqual({ state: 'waiting', value: 2 });
    stop();
    nowMs = 60_000;
    await collect();
    expect(asked).toBe(2);
  });

  it('shows no number of the queue while the database is away, also when it has shown one before', async () => {
    const { telemetry, collect } = measured();
    let [isAway, nowMs] = [false, 0];
    const queue = async (): Promise<QueueState> => {
      if (isAway) throw new Error('database away');
      return { ...IDLE, lateMs: 1_500 };
    };
    telemetry.watch({ queue, standing, nowMs: () => nowMs });
    const lateness = async () => (await collect())['data_sinks.queue.lateness_seconds'];
    expect(await lateness()).toEqual([{ value: 1.5 }]);
    [isAway, nowMs] = [true, 15_000];
    expect(await lateness()).toEqual([{ value: Number.NaN }]);
    // It asks again with whoever collects next.
    isAway = false;
    expect(await lateness()).toEqual([{ value: 1.5 }]);
  });

  it('shows what this process cannot do now, and zero for everything else', async () => {
    const { telemetry, collect } = measured();
    const broken = async (): Promise<Standing> => ({ databaseUp: false, redisUp: null, away: ['vault', 'vault'] });
    telemetry.watch({ queue: async () => IDLE, standing: broken, nowMs: () => 0 });
    const shown = await collect();
    expect(shown['data_sinks.database.up']).toEqual([{ value: 0 }]);
    expect(shown['data_sinks.redis.up'] ?? []).toEqual([]);
    expect(shown['data_sinks.outages']).toHaveLength(8);
    expect(shown['data_sinks.outages']).toEqual(
      expect.arrayContaining([
        { kind: 'vault', value: 2 },
        { kind: 'database', value: 0 },
      ]),
    );
  });

  it('has an instrument for every documented metric', async () => {
    const { telemetry, collect } = measured();
    telemetry.watch({ queue: async () => IDLE, standing, nowMs: () => 0 });
    telemetry.beginAtZero(['HTTPS_WEBHOOK']);
    telemetry.attempted(ATTEMPT, 'HTTPS_WEBHOOK');
    telemetry.claimed(3);
    expect(Object.keys(await collect()).sort()).toEqual(Object.keys(METRICS).sort());
  });

  it('does nothing without an SDK', () => {
    const telemetry = new Telemetry();
    expect(() => telemetry.attempted(ATTEMPT, 'HTTPS_WEBHOOK')).not.toThrow();
    const asked: true[] = [];
    const read = async (): Promise<QueueState> => (asked.push(true), IDLE);
    telemetry.watch({ queue: read, standing, nowMs: () => 0 })();
    expect(asked).toEqual([]);
  });
});
