import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { JobStore } from '../../src/reference-host/jobs/job-store.js';
import { type Agent, resultRows, type Sink } from '../support/platform/customer.js';
import type { ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

/** What waits for its next attempt is made due by the test. */
const platform = suitePlatform({ options: { retryWaitsMs: [600_000], disableAfter: 1_000, pauseAfter: 1_000 } });

afterEach(() => void jest.restoreAllMocks());

interface Entry {
  readonly action: string;
  readonly actor_type: string;
  readonly actor_id: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the audit log says about the end of a delivery, once it says anything. */
function entriesOf(deliveryId: string): Promise<Entry[]> {
  return until(async () => {
    const found = await platform().sql<Entry>(
      `SELECT action, actor_type, actor_id, details FROM agent_data_source_audit
        WHERE delivery_id = $1 AND action LIKE 'AGENT_RESULTS_PUSH%'`,
      [deliveryId],
    );
    return found.length > 0 && found;
  }, `the end of ${deliveryId} is audited`);
}

async function stage(steps?: readonly ReceiverStep[], config = {}): Promise<{ agent: Agent; sink: Sink }> {
  const agent = await (await platform().customer()).agent();
  const endpoint = await platform().receiver.endpoint(steps);
  const full = { url: endpoint.url, authScheme: 'HmacSha256', ...config };
  return { agent, sink: await agent.sink(endpoint, { config: full }) };
}

/** A delivery whose first attempt failed, and which waits for the next one. */
async function waiting(): Promise<{ agent: Agent; sink: Sink; id: string }> {
  const { agent, sink } = await stage([{ kind: 'answer', status: 503 }, { kind: 'answer' }]);
  const { id } = await sink.deliveryOf(await agent.finishJob());
  await agent.customer.deliveryWhen(id, ({ status }) => status === 'RETRYING', 'its first attempt failed');
  return { agent, sink, id };
}

describe('the audit trail has one entry for each delivery that ended', () => {
  it.each([
    ['DELIVERED', 200, 'AGENT_RESULTS_PUSHED', { status: 'SUCCEEDED', httpStatus: 200 }],
    ['FAILED', 400, 'AGENT_RESULTS_PUSH_FAILED', { reason: 'not_retryable', status: 'HTTP_4XX', httpStatus: 400 }],
  ])('%s by an attempt', async (status, httpStatus, action, details) => {
    const { agent, sink } = await stage([{ kind: 'answer', status: httpStatus }]);
    const { id, status: ended } = await sink.settledPush();
    expect(ended).toBe(status);
    expect(await entriesOf(id)).toEqual([
      { action, actor_type: 'agent', actor_id: agent.id, details: expect.objectContaining(details) },
    ]);
  });

  it.each<[string, (on: { agent: Agent; sink: Sink }) => Promise<unknown>]>([
    ['plan_required', ({ agent: { customer } }) => platform().changePlan(customer.workspaceId, 'BASIC')],
    ['agent_inactive', ({ agent }) => agent.pause()],
    ['auto_push_off', ({ agent }) => agent.setRules({ auto_push_on_job_complete: false })],
    ['sink_inactive', ({ sink }) => sink.api.patch(sink.path, { status: 'INACTIVE' })],
    ['sink_inactive', ({ sink }) => sink.api.delete(sink.path)],
  ])('CANCELLED because of %s', async (reason, change) => {
    const { agent, sink, id } = await waiting();
    await change({ agent, sink });
    await agent.customer.hurry(id);
    expect(await entriesOf(id)).toEqual([
      {
        ...{ action: 'AGENT_RESULTS_PUSH_CANCELLED', actor_type: 'agent', actor_id: agent.id },
        details: { jobId: expect.any(String), trigger: 'AUTO', attempts: 1, reason },
      },
    ]);
  });

  it.each<[string, () => unknown]>([
    ['results_missing', () => null],
    ['results_invalid', async function* () {}],
  ])('FAILED before anything was sent: %s', async (reason, streamRows) => {
    jest.spyOn(JobStore.prototype, 'streamRows').mockImplementation(async () => streamRows() as never);
    const { agent, sink } = await stage();
    const { id, attemptCount } = await sink.settledPush();
    expect(attemptCount).toBe(0);
    expect(await entriesOf(id)).toEqual([
      {
        ...{ action: 'AGENT_RESULTS_PUSH_FAILED', actor_type: 'agent', actor_id: agent.id },
        details: { jobId: expect.any(String), trigger: 'AUTO', attempts: 0, reason },
      },
    ]);
    await platform().logs.line(/^warn .*"event":"delivery\.failed"/, id);
  });

  it('FAILED with the other parts of its job because none can be built', async () => {
    const { agent, sink } = await stage(undefined, { maxRowsPerPush: 2 });
    jest.spyOn(JobStore.prototype, 'streamRows').mockImplementation(async () => null);
    const jobId = await agent.finishJob(resultRows(5));
    const parts = await sink.deliveries(`?jobId=${jobId}`);
    expect(parts).toHaveLength(3);
    const reasons = [];
    for (const { id, part } of parts.toSorted((one, other) => one.part.number - other.part.number)) {
      const [entry, ...more] = await entriesOf(id);
      expect(more).toEqual([]);
      reasons.push([entry?.details['part'], entry?.details['reason']]);
      expect(entry?.details['part']).toBe(`${part.number}/3`);
    }
    expect(reasons).toEqual([
      ['1/3', 'results_missing'],
      ['2/3', 'results_missing'],
      ['3/3', 'parts_incomplete'],
    ]);
  });

  it('FAILED because an earlier part was refused', async () => {
    const { agent, sink } = await stage([{ kind: 'answer', status: 400 }], { maxRowsPerPush: 2 });
    const jobId = await agent.finishJob(resultRows(4));
    for (const { id, part } of await sink.deliveries(`?jobId=${jobId}`)) {
      const reason = part.number === 2 ? 'parts_incomplete' : 'not_retryable';
      expect(await entriesOf(id)).toMatchObject([{ details: { part: `${part.number}/2`, reason } }]);
    }
  });

  it('FAILED because too many workers crashed on it', async () => {
    const { agent, id } = await waiting();
    await platform().sql(
      `UPDATE agent_data_source_delivery
          SET status = 'IN_FLIGHT', abandoned = 1000, next_attempt_at = NULL, lease_token = gen_random_uuid(),
              lease_expires_at = now() - interval '1 second' WHERE id = $1`,
      [id],
    );
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'FAILED', reason: 'abandoned_too_often' });
    expect(await entriesOf(id)).toMatchObject([{ details: { reason: 'abandoned_too_often', attempts: 1 } }]);
  });

  it('and for no delivery none or two', async () => {
    const counts = await platform().sql(
      `SELECT count(a.id)::int AS entries, count(DISTINCT d.id)::int AS deliveries FROM agent_data_source_delivery d
         LEFT JOIN agent_data_source_audit a ON a.delivery_id = d.id AND a.action LIKE 'AGENT_RESULTS_PUSH%'
        WHERE d.settled_at IS NOT NULL GROUP BY d.id HAVING count(a.id) <> 1`,
    );
    expect(counts).toEqual([]);
  });
});
