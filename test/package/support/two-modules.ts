import { expect } from '@jest/globals';
import { workerNumber } from '../../../src/data-sinks/domain/worker-number.js';
import { HostCustomer } from './customer.js';
import { newVaultKeys, type StrangeWorld } from './strange-world.js';

/**
 * Pushes a job through each of the two modules of a host.
 * @param script compiled from `hosts/*-two-modules.ts`
 * @param whileItRuns what else is to be seen, before the host is stopped
 */
export async function keepsTwoModulesApart(
  world: StrangeWorld,
  script: string,
  environment: Readonly<Record<string, string>> = {},
  whileItRuns: () => Promise<void> = async () => undefined,
): Promise<void> {
  const host = await world.host(script, {
    LEFT_DATABASE_URL: await world.database(),
    RIGHT_DATABASE_URL: await world.database(),
    LEFT_VAULT_KEYS: newVaultKeys(),
    RIGHT_VAULT_KEYS: newVaultKeys(),
    ...environment,
  });
  const [left, right] = [HostCustomer.of(host, 'left/api', 'mt_left'), HostCustomer.of(host, 'right', 'mt_right')];
  const endpoints = { left: await world.receiver.endpoint(), right: await world.receiver.endpoint() };
  const sinks = { left: await left.sink(endpoints.left), right: await right.sink(endpoints.right) };

  // The same agent and workspace on both sides, and yet neither knows the other's sink or token.
  expect(await left.call(sinks.right.path)).toMatchObject({ status: 404 });
  expect(await right.call(sinks.left.path)).toMatchObject({ status: 404 });
  expect(await HostCustomer.of(host, 'right', 'mt_left').call(sinks.right.path)).toMatchObject({ status: 401 });

  host.finishJob({ tenant: 'left', jobId: 'job_left', rows: 2 });
  expect(await sinks.left.pushed()).toMatchObject({ signatureIsValid: true, rows: 2 });
  host.finishJob({ tenant: 'right', jobId: 'job_right', rows: 5 });
  expect(await sinks.right.pushed()).toMatchObject({ signatureIsValid: true, rows: 5 });

  // Each job has gone to its own side alone, sent by its own side's worker.
  expect([endpoints.left.requests.length, endpoints.right.requests.length]).toEqual([1, 1]);
  const workers = [await sinks.left.syncs(), await sinks.right.syncs()].map((attempts) =>
    attempts.map(({ worker }) => worker),
  );
  expect(workers).toEqual([[workerNumber('worker-left')], [workerNumber('worker-right')]]);
  await whileItRuns();
  expect(['SIGTERM', 0]).toContain(await host.stop());
}
