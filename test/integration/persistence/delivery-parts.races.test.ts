import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { DataSource } from 'typeorm';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { failLastParts, releaseLastParts } from '../../../src/data-sinks/settlement/delivery-parts.sql.js';
import { lockUnfinished } from '../../../src/data-sinks/recovery/recovery-pacer.sql.js';
import { redeliver } from '../../../src/data-sinks/delivery/redelivery.sql.js';
import { until } from '../../support/platform/until.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { insertCompletions } from './completions.js';

// On PostgreSQL: the embedded database has one connection, so that two workers never meet there.
const ROUNDS = 40;
let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await migratedPostgres(dataSinksMigrations);
  dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const idOf = (round: string, part: number) => `dlv_${round}_${part}`;

async function push(round: string, of: number): Promise<void> {
  await insertCompletions(dataSource, [round]);
  await dataSource.query(
    `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format, recipe,
       part, part_count, retries_allowed, trigger, status, next_attempt_at)
     SELECT 'dlv_' || $1 || '_' || n, 'ws_1', 'agt_1', 'ads_1', $1, 1, 'JSON', 'JSON;rows=1;part=' || n || '/' || $2, n, $2,
            2, 'AUTO', 'PENDING', CASE WHEN n < $2 THEN now() END
       FROM generate_series(1, $2::int) n`,
    [round, of],
  );
}

/** What a worker does when a part has ended: puts it on record, then looks after the last one. */
async function ends(round: string, part: number, of: number, status: 'DELIVERED' | 'FAILED'): Promise<number> {
  const id = idOf(round, part);
  await dataSource.query(`UPDATE agent_data_source_delivery SET status = $2, settled_at = now() WHERE id = $1`, [
    id,
    status,
  ]);
  if (status === 'FAILED') return (await failLastParts(databaseOf(dataSource.manager), [id])).length;
  return releaseLastParts(databaseOf(dataSource.manager), [
    { workspaceId: 'ws_1', dataSourceId: 'ads_1', jobId: round, run: 1, of },
  ]);
}

const last = async (round: string, of: number) => {
  const [row] = await dataSource.query<{ status: string; reason: string | null; due: boolean }[]>(
    'SELECT status, reason, next_attempt_at IS NOT NULL AS due FROM agent_data_source_delivery WHERE id = $1',
    [idOf(round, of)],
  );
  return row;
};

it('of several workers that deliver the other parts at the same time, one makes the last part due', async () => {
  for (let i = 0; i < ROUNDS; i++) {
    const [round, of] = [`delivered${i}`, 2 + (i % 6)];
    await push(round, of);
    const others = Array.from({ length: of - 1 }, (_, n) => n + 1);
    const released = await Promise.all(others.map((part) => ends(round, part, of, 'DELIVERED')));
    expect(released.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await last(round, of)).toEqual({ status: 'PENDING', reason: null, due: true });
  }
});

it('in either order, a failed part fails the last one, once', async () => {
  for (let i = 0; i < ROUNDS; i++) {
    const round = `failed${i}`;
    await push(round, 4);
    const statuses = (['DELIVERED', 'FAILED', 'FAILED'] as const).map((status, n) => ends(round, n + 1, 4, status));
    const [released, ...failed] = await Promise.all(statuses);
    expect([released, failed.reduce((sum, count) => sum + count, 0)]).toEqual([0, 1]);
    expect(await last(round, 4)).toEqual({ status: 'FAILED', reason: 'parts_incomplete', due: false });
  }
});

it('a part redelivered by a recovery and the last one, redelivered manually, do not deadlock', async () => {
  await push('recovered', 2);
  await dataSource.query(
    `INSERT INTO agent_data_source_recovery (id, workspace_id, agent_id, data_source_id, status, since, until, total,
       requested_by_type, requested_by_id)
     VALUES ('rcv_1', 'ws_1', 'agt_1', 'ads_1', 'RUNNING', now() - interval '1 hour', now(), 2, 'token', 'tok_1')`,
  );
  await dataSource.query(
    `UPDATE agent_data_source_delivery
        SET status = 'FAILED', settled_at = now(), next_attempt_at = NULL, recovery_id = 'rcv_1',
            reason = CASE part WHEN 2 THEN 'parts_incomplete' ELSE 'not_retryable' END
      WHERE job_id = 'recovered'`,
  );
  const asked = (part: number, recoveryId: string | null) => [
    { workspaceId: 'ws_1', id: idOf('recovered', part), recoveryId },
  ];
  let byHand: Promise<string[]> = Promise.resolve([]);
  const paced = await dataSource.transaction(async (transaction) => {
    await lockUnfinished(databaseOf(transaction), 'rcv_1');
    byHand = redeliver(databaseOf(dataSource.manager), asked(2, null), ['FAILED']);
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await until(async () => (await dataSource.query<object[]>(waiting)).length > 0, 'the one by hand waits');
    return redeliver(databaseOf(transaction), asked(1, 'rcv_1'), ['FAILED']);
  });
  expect([paced, await byHand]).toEqual([[idOf('recovered', 1)], []]);
  expect(await last('recovered', 2)).toEqual({ status: 'PENDING', reason: null, due: false });
});
