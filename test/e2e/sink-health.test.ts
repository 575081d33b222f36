import { describe, expect, it } from '@jest/globals';
import { ATTEMPT_ADVICE } from '../../src/data-sinks/domain/attempt-advice.js';
import type { Body } from '../support/platform/api-client.js';
import { expectStatus, type Sink } from '../support/platform/customer.js';
import type { ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform({ options: { disableAfter: 100 } });

async function sinkThat(steps: readonly ReceiverStep[], rules = {}): Promise<Sink> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 0, ...rules });
  return agent.sink(await platform().receiver.endpoint(steps));
}

async function healthOf(sink: Sink): Promise<Body> {
  return expectStatus(await sink.api.get(`${sink.path}/health`), 200);
}

const answers = (...statuses: readonly number[]): ReceiverStep[] =>
  statuses.map((status) => ({ kind: 'answer', status }));

describe('the health of a sink', () => {
  it('without attempts says so', async () => {
    const nothing = { attempts: 0, succeeded: 0, successRate: null, p50Ms: null, p95Ms: null };
    expect(await healthOf(await sinkThat(answers(200)))).toEqual({
      ...{ status: 'ACTIVE', disabledReason: null, disabledAt: null, consecutiveFailures: 0 },
      ...{ lastHour: nothing, last24Hours: nothing, lastError: null, waiting: 0, oldestDueMs: null, capped: [] },
    });
  });

  it('counts successes and failures, with advice on the last error', async () => {
    const sink = await sinkThat(answers(200, 503, 200, 401));
    const pushes: Body[] = [];
    for (let i = 0; i < 4; i++) pushes.push(await sink.settledPush());
    const health = await healthOf(sink);
    expect(health).toMatchObject({ consecutiveFailures: 1, lastHour: { attempts: 4, succeeded: 2, successRate: 0.5 } });
    expect(health.last24Hours).toEqual(health.lastHour);
    expect(health.lastHour.p50Ms).toBeGreaterThanOrEqual(0);
    expect(health.lastHour.p95Ms).toBeGreaterThanOrEqual(health.lastHour.p50Ms);
    expect(health.lastError).toMatchObject({
      ...{ deliveryId: pushes[3].id, errorCode: 'rejected_by_receiver', httpStatus: 401 },
      advice: ATTEMPT_ADVICE.rejected_by_receiver.advice,
    });
  });

  it('counts failures since the last success', async () => {
    const sink = await sinkThat(answers(200, 500, 500, 500), { retry_failed_push: 2 });
    await sink.settledPush();
    expect(await healthOf(sink)).toMatchObject({ consecutiveFailures: 0 });
    await sink.settledPush();
    expect(await healthOf(sink)).toMatchObject({ consecutiveFailures: 3, lastHour: { attempts: 4, succeeded: 1 } });
  });

  it('covers the last hour and the last 24 hours separately', async () => {
    const sink = await sinkThat(answers(500, 500, 200));
    for (let i = 0; i < 3; i++) await sink.settledPush();
    const [, second, first] = await sink.syncs();
    await age(first.id, '25 hours');
    await age(second.id, '2 hours');
    expect(await healthOf(sink)).toMatchObject({
      ...{ lastHour: { attempts: 1, succeeded: 1 }, last24Hours: { attempts: 2, succeeded: 1, successRate: 0.5 } },
    });
  });

  it('shows how many deliveries wait, and how long the oldest has been due', async () => {
    const sink = await sinkThat(answers(410, 200));
    await sink.settledPush();
    // The sink is disabled after its push is on record as failed: a job in between would still be pushed.
    await until(async () => (await healthOf(sink)).status === 'DISABLED', 'the sink is disabled');
    const { id } = await sink.deliveryOf(await sink.agent.finishJob());
    await platform().sql(
      `UPDATE agent_data_source_delivery SET next_attempt_at = next_attempt_at - interval '1 hour' WHERE id = $1`,
      [id],
    );
    const health = await healthOf(sink);
    expect(health).toMatchObject({ status: 'DISABLED', disabledReason: 'RECEIVER_GONE', waiting: 1 });
    expect(health.oldestDueMs).toBeGreaterThanOrEqual(3_600_000);
    expect(health.oldestDueMs).toBeLessThan(3_700_000);
  });

  it('says which of its counts there may be more of', async () => {
    const sink = await sinkThat(answers(500));
    await sink.settledPush();
    const [failed] = await sink.syncs();
    await repeat(failed?.id, 1, 998);
    expect(await healthOf(sink)).toMatchObject({ consecutiveFailures: 999, capped: [] });
    await repeat(failed?.id, 999, 10_500);
    expect(await healthOf(sink)).toMatchObject({
      ...{ consecutiveFailures: 1_000, lastHour: { attempts: 10_000 }, waiting: 0 },
      capped: ['consecutiveFailures', 'lastHour', 'last24Hours'],
    });
  });

  it('is visible only to its workspace', async () => {
    const sink = await sinkThat(answers(200));
    const stranger = await platform().customer();
    expectStatus(await stranger.api.get(`${sink.path}/health`), 404);
  });
});

async function age(attemptId: string, by: string): Promise<void> {
  await platform().sql('UPDATE agent_data_source_sync SET started_at = started_at - $2::interval WHERE id = $1', [
    attemptId,
    by,
  ]);
}

/** Puts as many attempts like one on record. */
async function repeat(attemptId: string, from: number, to: number): Promise<void> {
  await platform().sql(
    `INSERT INTO agent_data_source_sync
     SELECT (jsonb_populate_record(a, jsonb_build_object('id', left(a.id, 24) || lpad(n::text, 6, '0')))).*
       FROM agent_data_source_sync a, generate_series($2::int, $3::int) n WHERE a.id = $1`,
    [attemptId, from, to],
  );
}
