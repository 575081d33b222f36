import { expect } from '@jest/globals';
import type { Receiver } from '../../support/platform/receiver-process.js';
import { type HostWithDataSource, PATIENCE_MS, SINKS } from './host-with-data-source.js';

/**
 * The whole way of a customer: makes a sink, tests it, reads it, gets the results of a job, looks at the deliveries.
 * @param told the events that the host logs as a warning or an error meanwhile
 * @returns the id of the sink
 */
export async function expectStoryOf(
  host: HostWithDataSource,
  receiver: Receiver,
  told: readonly string[] = [],
): Promise<string> {
  const endpoint = await receiver.endpoint();
  const made = await host.makeSink(endpoint.url);
  expect(made).toMatchObject({ status: 201 });
  const id = String(made.body['id']);
  expect(await host.call('POST', `${SINKS}/${id}/test`)).toMatchObject({
    status: 200,
    body: { status: 'SUCCEEDED' },
  });
  const read = await host.call('GET', `${SINKS}/${id}`);
  expect(read).toMatchObject({ status: 200, body: { id, status: 'ACTIVE' } });
  expect(Date.parse(String(read.body['createdAt']))).toBeGreaterThan(Date.now() - PATIENCE_MS * 10);
  const { jobId } = host.finish();
  const [delivery] = await host.settled(id);
  expect(delivery).toMatchObject({ jobId, status: 'DELIVERED', attemptCount: 1 });
  const { body } = await host.call('GET', `/deliveries/${String(delivery?.['id'])}`);
  expect(body).toMatchObject({ jobId, attempts: [{ status: 'SUCCEEDED' }] });
  expect(await endpoint.received(2)).toHaveLength(2);
  // Partitions that cannot be made keep nothing from being delivered, and are told.
  const status = told.includes('sweeper.unavailable') ? 'degraded' : 'up';
  expect(await host.health()).toMatchObject({ status, migrationsPending: [] });
  expect(host.troubles().map(({ event }) => event)).toEqual(told);
  return id;
}
