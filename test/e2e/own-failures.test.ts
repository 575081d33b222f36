import { expect, it } from '@jest/globals';
import { suitePlatform } from '../support/platform/suite-platform.js';
import { until } from '../support/platform/until.js';

/** Leases that run out soon, and a sweeper that takes a second one for the delivery's fault. */
const platform = suitePlatform({ options: { leaseMs: 1_000, sweepMs: 100, maxAbandoned: 2 } });

async function fillDiskOfAttempts(): Promise<void> {
  await platform().sql(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
  await platform().sql(`CREATE TRIGGER full_disk BEFORE INSERT ON agent_data_source_sync
    FOR EACH ROW EXECUTE FUNCTION full_disk()`);
}

it('while no attempt can be recorded, deliveries wait, and are later sent with all their retries', async () => {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
  const endpoint = await platform().receiver.endpoint();
  const sink = await agent.sink(endpoint);
  await fillDiskOfAttempts();
  const { id } = await sink.deliveryOf(await agent.finishJob());
  const ofDelivery =
    'SELECT status, own_failures, abandoned, attempt_count FROM agent_data_source_delivery WHERE id = $1';
  await until(async () => {
    const [row] = await platform().sql<{ own_failures: number; abandoned: number }>(ofDelivery, [id]);
    return row && row.own_failures + row.abandoned >= 3;
  }, 'our own side has failed three times');
  const [row] = await platform().sql(ofDelivery, [id]);
  expect(row).toMatchObject({ abandoned: 0, attempt_count: 0 });
  expect(endpoint.requests).toEqual([]);

  await platform().sql('DROP TRIGGER full_disk ON agent_data_source_sync');
  expect(await agent.customer.settled(id)).toMatchObject({ status: 'DELIVERED', attemptCount: 1 });
});
