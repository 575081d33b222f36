import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { TestLimit } from '../../../src/data-sinks/sinks/test-limit.js';
import { stub } from '../../support/stub.js';
import { ModuleDatabase } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

/** As in two processes. */
const limits = (testsPerMinute: number) => {
  const one = () => new TestLimit(databaseOf(database.manager), stub({ testsPerMinute }));
  return [one(), one()] as const;
};
const REFUSED = { code: 'rate-limited', extras: { retryAfterSeconds: expect.any(Number) } };

async function aSink(workspaceId = 'ws_1'): Promise<{ readonly id: string; readonly workspaceId: string }> {
  return { id: await database.sink({ workspace_id: workspaceId }), workspaceId };
}

it('the Tests of a sink are limited over all processes, and what is refused is not counted', async () => {
  const [one, other] = limits(2);
  const sink = await aSink();
  await one.use(sink);
  await other.use(sink);
  for (const limit of [one, other, one]) await expect(limit.use(sink)).rejects.toMatchObject(REFUSED);
  await database.all(`UPDATE agent_data_source SET recent_tests = ARRAY[recent_tests[1] - interval '1 minute', now()]`);
  await other.use(sink);
  await expect(one.use(sink)).rejects.toMatchObject(REFUSED);
});

it('Tests at the same moment in two processes do not pass together', async () => {
  const [one, other] = limits(3);
  const sink = await aSink();
  const tried = await Promise.allSettled([one, other, one, other, one, other].map((limit) => limit.use(sink)));
  expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
});

it('the Tests of a workspace are limited to five times as many, those of deleted sinks among them', async () => {
  const [limit] = limits(1);
  const [last, ...sinks] = [await aSink(), await aSink(), await aSink(), await aSink(), await aSink(), await aSink()];
  const elsewhere = await aSink('ws_other');
  for (const sink of sinks) await limit.use(sink);
  await database.all('UPDATE agent_data_source SET deleted_at = now() WHERE id = $1', [sinks[0]?.id]);
  await expect(limit.use(last)).rejects.toMatchObject(REFUSED);
  await limit.use(elsewhere);
});
