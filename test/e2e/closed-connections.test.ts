import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ClosingReceiver } from '../support/egress/closing-receiver-process.js';
import type { Body } from '../support/platform/api-client.js';
import { describeClosingMatrix } from '../support/platform/closing-matrix.js';
import { type Agent, expectStatus, resultRows, type Sink } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

/** More than any test needs to meet a connection that is used again. */
const MOST_PUSHES = 50;

describe('a reused connection that the receiver had closed', () => {
  // One failure that counted would pause the sink, and disable it.
  const platform = suitePlatform({
    options: { pauseAfter: 1, pauseMs: 600_000, longestPauseMs: 600_000, disableAfter: 1, disableAfterMs: 0 },
  });
  let receiver: ClosingReceiver;
  beforeEach(async () => {
    // An origin of which nothing has been learned.
    receiver = await ClosingReceiver.start();
  });
  afterEach(() => receiver.stop());

  async function sinkAt(habit: string, retries = 0): Promise<{ agent: Agent; sink: Sink }> {
    const agent = await (await platform().customer()).agent({ retry_failed_push: retries });
    return { agent, sink: await agent.sink(receiver.url(habit)) };
  }

  const attemptsOf = (delivery: Body): Body[] =>
    [...(delivery.attempts as Body[])].sort((a, b) => a.attemptNumber - b.attemptNumber);

  const isStale = (delivery: Body): boolean => attemptsOf(delivery)[0]?.errorCode === 'stale_connection';

  /** Pushes until one met such a connection; all before it were delivered at their first attempt. */
  async function stalePush(sink: Sink, rows = resultRows(3)): Promise<Body> {
    for (let i = 0; i < MOST_PUSHES; i++) {
      const delivery = await sink.settledPush(rows);
      if (isStale(delivery)) return delivery;
      expect(delivery).toMatchObject({ status: 'DELIVERED', attemptCount: 1 });
    }
    throw new Error(`none of ${MOST_PUSHES} pushes met a connection that had ended`);
  }

  async function standing(sink: Sink): Promise<unknown> {
    const [row] = await platform().sql(
      'SELECT status, paused_until, failures_in_row FROM agent_data_source WHERE id = $1',
      [sink.id],
    );
    return row;
  }

  it.each([
    ['small', 3],
    ['large', 1_000],
  ])('costs a %s push an attempt, but no retry, and the push is repeated on a new one', async (_size, rows) => {
    const { sink } = await sinkAt('cuts-the-next');
    const delivery = await stalePush(sink, resultRows(rows));
    expect(delivery).toMatchObject({ status: 'DELIVERED', attemptCount: 2, retriesSpent: 0, retriesAllowed: 0 });
    expect(attemptsOf(delivery)).toMatchObject([
      {
        ...{ attemptNumber: 1, status: 'NETWORK_ERROR', errorCode: 'stale_connection', httpStatus: null },
        ...{ finishedAt: expect.any(String), advice: expect.stringMatching(/no retry.*fresh connection/) },
      },
      { attemptNumber: 2, status: 'SUCCEEDED', errorCode: null },
    ]);
    const seen = (await receiver.seenAt('cuts-the-next')).filter(({ deliveryId }) => deliveryId === delivery.id);
    expect(seen.map(({ attempt, onConnection, answered }) => [attempt, onConnection, answered])).toEqual([
      ['1', 2, false],
      ['2', 1, true],
    ]);
    // Signed anew: the time of each attempt is its own.
    expect(seen.map(({ timestamp }) => Number(timestamp)).every((seconds) => seconds > 1_700_000_000)).toBe(true);
  });

  it('counts neither for the circuit breaker, nor for disabling, nor for the sink’s health', async () => {
    const { sink } = await sinkAt('cuts-the-next');
    await stalePush(sink);
    expect(await standing(sink)).toEqual({ status: 'ACTIVE', paused_until: null, failures_in_row: 0 });
    const health = expectStatus(await sink.api.get(`${sink.path}/health`), 200);
    expect(health).toMatchObject({ consecutiveFailures: 0, lastError: null, lastHour: { successRate: 1 } });
  });

  it('occurs at most once in a row: the result on the new connection counts', async () => {
    const { agent, sink } = await sinkAt('cuts-all-but-the-first', 2);
    expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
    const delivery = await agent.customer.settled((await sink.deliveryOf(await agent.finishJob())).id);
    expect(delivery).toMatchObject({ status: 'FAILED', reason: 'retries_exhausted', retriesSpent: 2 });
    const codes = attemptsOf(delivery).map(({ errorCode }) => errorCode);
    const charged = codes.filter((code) => code !== 'stale_connection');
    expect(charged).toEqual(['connection_reset', 'connection_reset', 'connection_reset']);
    // The first of all where a connection was used again; after it there is none left.
    expect(codes.lastIndexOf('stale_connection')).toBeLessThanOrEqual(0);
  });

  it('does not fail a redelivery, which has no retries', async () => {
    const { agent, sink } = await sinkAt('cuts-the-next');
    const { id } = await sink.settledPush();
    for (let i = 0; i < MOST_PUSHES; i++) {
      expectStatus(await sink.api.post(`deliveries/${id}/redeliver`), 202);
      const delivery = await agent.customer.settled(id);
      expect(delivery).toMatchObject({ status: 'DELIVERED', trigger: 'REDELIVERY' });
      const codes = attemptsOf(delivery).map(({ errorCode }) => errorCode);
      if (!codes.includes('stale_connection')) continue;
      expect(codes.slice(-2)).toEqual(['stale_connection', null]);
      return;
    }
    throw new Error('no redelivery met a connection that had ended');
  });

  it('does not affect a Test, which always opens a new connection', async () => {
    const { sink } = await sinkAt('cuts-the-next');
    await sink.settledPush();
    for (let i = 0; i < 3; i++) {
      const test = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
      expect(test).toMatchObject({ passed: true, errorCode: null, timings: { connectMs: expect.any(Number) } });
    }
  });

  it('is stored with the delivery, so that a worker that takes over after a crash opens a new one', async () => {
    const { agent, sink } = await sinkAt('keeps');
    const { id } = await sink.settledPush();
    await platform().sql(
      `UPDATE agent_data_source_delivery
          SET status = 'RETRYING', last_attempt_status = 'NETWORK_ERROR', last_error_code = 'stale_connection',
              settled_at = NULL, next_attempt_at = now()
        WHERE id = $1`,
      [id],
    );
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
    const [first, second] = await receiver.seenAt('keeps');
    expect([first?.onConnection, second?.onConnection]).toEqual([1, 1]);
    expect(second?.connection).not.toBe(first?.connection);
  });
});

describe('connections that are closed between pushes', () => {
  describeClosingMatrix({ pushes: 8, sizes: ['small'], atATime: [8] });
});
