import { describe, expect, it } from '@jest/globals';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { METRICS } from '../../../../src/data-sinks/telemetry/metrics.js';
import { type MeasuredAttempt, type QueueState, Telemetry } from '../../../../src/data-sinks/telemetry/telemetry.js';

const ATTEMPT: MeasuredAttempt = {
  status: 'HTTP_5XX',
  timings: { dnsMs: null, connectMs: 5, tlsMs: null, uploadMs: 1, waitMs: 14, totalMs: 20 },
};
const IDLE: QueueState = { waiting: 0, inFlight: 0, oldestDueAgeMs: 0 };

function measured(): { telemetry: Telemetry; collect: () => Promise<Record<string, Record<string, unknown>[]>> } {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const telemetry = new Telemetry('1.0.0', { meterProvider: new MeterProvider({ readers: [reader] }) });
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
  it('measures the phases that an attempt reached, and no others', async () => {
    const { telemetry, collect } = measured();
    telemetry.attempted(ATTEMPT);
    const phases = (await collect())['data_sinks.attempt.phase.duration_seconds'];
    expect(phases?.map(({ phase }) => phase)).toEqual(['connect', 'upload', 'wait', 'total']);
    expect(phases?.at(-1)).toMatchObject({ value: { count: 1, sum: 0.02 } });
  });

  it('measures every phase of an attempt that had them all', async () => {
    const { telemetry, collect } = measured();
    telemetry.attempted({
      status: 'SUCCEEDED',
      timings: { dnsMs: 1, connectMs: 2, tlsMs: 3, uploadMs: 4, waitMs: 5, totalMs: 15 },
    });
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

  it('counts from zero, so that a first failure is a rise', async () => {
    const deliveries = (await measured().collect())['data_sinks.deliveries'];
    expect(deliveries).toEqual(['delivered', 'failed', 'cancelled'].map((outcome) => ({ outcome, value: 0 })));
  });

  it('asks the queue at most every 15 seconds, however often it is collected', async () => {
    const { telemetry, collect } = measured();
    let [asked, nowMs] = [0, 0];
    const read = async (): Promise<QueueState> => ({ ...IDLE, waiting: (asked += 1) });
    const stop = telemetry.watchQueue(read, () => nowMs);
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

  it('shows no queue while the database is away', async () => {
    const { telemetry, collect } = measured();
    telemetry.watchQueue(
      () => Promise.reject(new Error('database away')),
      () => 0,
    );
    expect((await collect())['data_sinks.queue.depth'] ?? []).toEqual([]);
  });

  it('has an instrument for every metric that is documented', async () => {
    const { telemetry, collect } = measured();
    telemetry.watchQueue(
      async () => IDLE,
      () => 0,
    );
    telemetry.attempted(ATTEMPT);
    telemetry.claimed(3);
    expect(Object.keys(await collect()).sort()).toEqual(Object.keys(METRICS).sort());
  });

  it('is silent without an SDK', () => {
    const telemetry = new Telemetry('1.0.0');
    expect(() => telemetry.attempted(ATTEMPT)).not.toThrow();
    const asked: true[] = [];
    const read = async (): Promise<QueueState> => (asked.push(true), IDLE);
    telemetry.watchQueue(read, () => 0)();
    expect(asked).toEqual([]);
  });
});
