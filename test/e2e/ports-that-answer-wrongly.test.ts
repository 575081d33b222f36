import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Agents } from '../../src/reference-host/agents/agents.js';
import { JobStore } from '../../src/reference-host/jobs/job-store.js';
import { Workspaces } from '../../src/reference-host/workspaces/workspaces.js';
import { resultRows } from '../support/platform/customer.js';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

const platform = suitePlatform();

afterEach(() => void jest.restoreAllMocks());

const rows = resultRows(3);
async function* batches(...given: unknown[]) {
  yield* given;
}

describe('invalid results end their delivery before anything is sent, recorded and audited:', () => {
  it.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['flat rows where batches are due', () => batches(...rows)],
    ['a row that is null', () => batches([rows[0], null, rows[2]])],
    ['fewer rows than stats.total', () => batches(rows.slice(0, 2))],
    ['more rows than stats.total', () => batches(rows, [rows[0]])],
    ['a confidence of 1.7', () => batches([rows[0], { ...rows[1], matchConfidence: 1.7 }, rows[2]])],
  ])('%s', async (_wrong, answer) => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    jest.spyOn(JobStore.prototype, 'streamRows').mockImplementation(async () => answer() as never);
    const ended = await sink.settledPush(rows);
    expect(ended).toMatchObject({ status: 'FAILED', reason: 'results_invalid', attemptCount: 0 });
    const audited = await until(async () => {
      const found = await platform().sql(
        `SELECT action, details->>'reason' AS reason FROM agent_data_source_audit WHERE delivery_id = $1`,
        [ended.id],
      );
      return found.length > 0 && found;
    }, 'its end is audited');
    expect(audited).toEqual([{ action: 'AGENT_RESULTS_PUSH_FAILED', reason: 'results_invalid' }]);
    expect(endpoint.requests).toEqual([]);
  });
});

describe('an invalid answer to the gate is retried, and uses no retry:', () => {
  it.each<[string, () => { readonly mockRestore: () => void }]>([
    [
      'agents',
      () => jest.spyOn(Agents.prototype, 'findAgents').mockImplementation(async () => ({ agents: [] }) as never),
    ],
    ['plans', () => jest.spyOn(Workspaces.prototype, 'findPlans').mockImplementation(async () => undefined as never)],
  ])('%s', async (_port, answerWrongly) => {
    const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
    const endpoint = await platform().receiver.endpoint();
    const sink = await agent.sink(endpoint);
    const jobId = await agent.finishJob();
    const { id } = await sink.deliveryOf(jobId);
    await agent.customer.settled(id);
    const before = endpoint.requests.length;
    const wrong = answerWrongly();
    await platform().sql(
      `UPDATE agent_data_source_delivery SET status = 'PENDING', settled_at = NULL, next_attempt_at = now() WHERE id = $1`,
      [id],
    );
    await until(async () => {
      const [row] = await platform().sql<{ own_failures: number }>(
        'SELECT own_failures FROM agent_data_source_delivery WHERE id = $1',
        [id],
      );
      return (row?.own_failures ?? 0) >= 2;
    }, 'it was given back twice');
    const [waiting] = await platform().sql('SELECT retries_spent FROM agent_data_source_delivery WHERE id = $1', [id]);
    expect([waiting, endpoint.requests.length]).toEqual([{ retries_spent: 0 }, before]);
    wrong.mockRestore();
    expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 2 });
  });
});
