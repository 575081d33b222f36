import { describe, expect, it } from '@jest/globals';
import { type Agent, expectStatus, type Sink } from '../support/platform/customer.js';
import type { Endpoint } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

/** A pause that no test outlasts, and an auto-disable that stays out of it. */
const platform = suitePlatform({ options: { pauseMs: 600_000, longestPauseMs: 600_000, disableAfter: 1_000 } });

const DOWN = { kind: 'answer', status: 503 } as const;
const UP = { kind: 'answer' } as const;

async function pausedSink(
  steps: readonly (typeof DOWN | typeof UP)[],
): Promise<{ agent: Agent; endpoint: Endpoint; sink: Sink }> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
  const endpoint = await platform().receiver.endpoint(steps);
  const sink = await agent.sink(endpoint);
  for (let i = 0; i < 5; i++) expect(await sink.settledPush()).toMatchObject({ status: 'FAILED' });
  await until(async () => (await pauseOf(sink)) !== null, 'the sink is paused');
  return { agent, endpoint, sink };
}

async function pauseOf(sink: Sink): Promise<unknown> {
  const [row] = await platform().sql<{ paused_until: Date | null }>(
    'SELECT paused_until FROM agent_data_source WHERE id = $1',
    [sink.id],
  );
  return row?.paused_until ?? null;
}

/** Makes a delivery of another sink and waits for it: by then the worker has looked at what is due. */
async function afterALook(): Promise<void> {
  const agent = await (await platform().customer()).agent();
  const sink = await agent.sink(await platform().receiver.endpoint([UP]));
  expect(await sink.settledPush()).toMatchObject({ status: 'DELIVERED' });
}

describe('while a receiver is down', () => {
  it('new deliveries wait, without an attempt and with all their retries', async () => {
    const { agent, endpoint, sink } = await pausedSink([DOWN]);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    await afterALook();
    expect(await agent.customer.delivery(id)).toMatchObject({ status: 'PENDING', attemptCount: 0 });
    expect(endpoint.requests).toHaveLength(5);
  });

  it('a successful Test closes the circuit breaker, and waiting deliveries are sent', async () => {
    const { agent, sink } = await pausedSink([DOWN, DOWN, DOWN, DOWN, DOWN, UP]);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    const test = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    expect(test).toMatchObject({ passed: true, reactivated: false });
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 1 });
    expect(await pauseOf(sink)).toBeNull();
  });

  it('waiting deliveries are cancelled when the sink is switched off', async () => {
    const { agent, sink } = await pausedSink([DOWN]);
    const { id } = await sink.deliveryOf(await agent.finishJob());
    expectStatus(await sink.api.patch(sink.path, { status: 'INACTIVE' }), 200);
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'CANCELLED', reason: 'sink_inactive' });
  });

  it('one new delivery is sent when the pause is over, and its success releases the others', async () => {
    const { agent, sink } = await pausedSink([DOWN, DOWN, DOWN, DOWN, DOWN, UP]);
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push((await sink.deliveryOf(await agent.finishJob())).id);
    await platform().sql('UPDATE agent_data_source SET paused_until = now() WHERE id = $1', [sink.id]);
    for (const id of ids) expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED' });
    expect(await pauseOf(sink)).toBeNull();
  });
});
