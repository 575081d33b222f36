import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { DeliveryWorker } from '../../../../src/data-sinks/pipeline/delivery-worker.js';
import { InProcessWakeup } from '../../../../src/data-sinks/wakeup/in-process.wakeup.js';

type Parts = ConstructorParameters<typeof DeliveryWorker>;

const JOB = { job_id: 'job_1', run: 1, recipe: 'JSON' };
const ROUND = {
  ...{ last_sink: 'ads_1', exhausted: true, capped: false, full_workspaces: [], paced_ms: null },
  ...{ sinks: null, bodies: [{ ...JOB, completed_ms: 0, body_id: null, traceparent: null }], answered_at: new Date() },
};

/** What a claim answers of one delivery that came under this lease. */
const claimed = (leaseToken: string) => [ROUND, { ...JOB, id: 'dlv_1', lease_token: leaseToken }];

it('waits at its end for both, where it has a delivery in hand twice: under a lease that was lost, and a new one', async () => {
  const claims = [claimed('lost')];
  const query = async (sql: string) => (sql.includes('answered_at') ? (claims.shift() ?? [ROUND]) : []);
  const finish = new Map<string, () => void>();
  const run = ({ leaseToken }: { leaseToken: string }) =>
    new Promise<null>((resolve) => finish.set(leaseToken, () => resolve(null)));
  const worker = new DeliveryWorker(
    { query } as unknown as Parts[0],
    { judge: async (deliveries: readonly object[]) => deliveries.map(() => null) } as unknown as Parts[1],
    { run } as unknown as Parts[2],
    new InProcessWakeup(),
    { set: () => undefined } as unknown as Parts[4],
    { unsent: async () => undefined, cancelled: async () => undefined },
    { claimed: () => undefined },
    {
      ...{ maxInFlight: 8, claimBatch: 8, maxInFlightPerSink: 8, maxInFlightPerWorkspace: 8 },
      ...{ leaseMs: 60_000, pollMs: 60_000, shutdownGraceMs: 60_000, retryWaitsMs: [1], random: () => 0 },
    },
  );
  const underWay = async (leaseToken: string): Promise<void> => {
    while (!finish.has(leaseToken)) await turn();
  };
  await worker.start();
  await underWay('lost');
  claims.push(claimed('new'));
  worker.wake();
  await underWay('new');

  let hasStopped = false;
  const stopped = worker.stop().then(() => (hasStopped = true));
  finish.get('new')?.();
  for (let i = 0; i < 5; i++) await turn();
  expect(hasStopped).toBe(false);
  finish.get('lost')?.();
  await stopped;
});
