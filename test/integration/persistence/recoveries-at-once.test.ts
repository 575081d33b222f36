import { Logger } from '@nestjs/common';
import { fakeDatabase } from '../../support/fake-database.js';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { recoveryWindow } from '../../../src/data-sinks/domain/recovery.js';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { DeliveryRepository } from '../../../src/data-sinks/delivery/delivery.repository.js';
import { cancelRecovery, lockUnfinished, redeliverNext } from '../../../src/data-sinks/recovery/recovery-pacer.sql.js';
import { RecoveryRepository } from '../../../src/data-sinks/recovery/recovery.repository.js';
import { RecoveryPacer } from '../../../src/data-sinks/recovery/recovery-pacer.js';
import { until } from '../../support/platform/until.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { insertCompletions } from './completions.js';
import { stub } from '../../support/stub.js';

/** Real PostgreSQL: several processes look at one recovery at the same moment, while somebody redelivers by hand. */
const PACERS = 4;
const DELIVERIES = 300;
const CAP = 4;
const WINDOW = recoveryWindow(CAP);
const SCOPE = { workspaceId: 'ws_1', dataSourceId: 'ads_1' };

let server: TestDatabase;
let database: DataSource;
let recoveries: RecoveryRepository;
const errors: unknown[] = [];

beforeAll(async () => {
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
  jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  server = await migratedPostgres(dataSinksMigrations);
  const options = { type: 'postgres', url: server.url, entities: dataSinksEntities, poolSize: 20 } as const;
  database = await new DataSource(options).initialize();
  recoveries = new RecoveryRepository(databaseOf(database.manager));
  await database.query(
    `INSERT INTO agent_data_source (id, workspace_id, agent_id, role, type, name, config, format, status, secret_id,
                                    secret_created_at)
     VALUES ('ads_1', 'ws_1', 'agt_1', 'RESULTS_SINK', 'HTTPS_WEBHOOK', 'BI', '{}', 'JSON', 'ACTIVE', 'sec_1', now())`,
  );
  await insertFailed('ads_1', DELIVERIES);
});
afterAll(async () => {
  jest.restoreAllMocks();
  await database.destroy();
  await server.drop();
});

/** Deliveries that failed, one a second, the last of them just now. */
async function insertFailed(sink: string, count: number): Promise<void> {
  await insertCompletions(
    database,
    Array.from({ length: count }, (_, i) => `job_${i + 1}`),
  );
  await database.query(
    `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format, trigger,
                                             status, reason, retries_allowed, settled_at)
     SELECT 'dlv_' || CASE WHEN $1 = 'ads_1' THEN '' ELSE $1 END || n, 'ws_1', 'agt_1', $1, 'job_' || n, 1, 'JSON', 'AUTO',
            'FAILED', 'not_retryable', 2, now() - n * interval '1 second'
       FROM generate_series(1, $2::int) n`,
    [sink, count],
  );
}

function pacer(): RecoveryPacer {
  const gate = { judge: async (asked: readonly unknown[]) => asked.map(() => null) };
  const options = { pollMs: 1_000, maxInFlightPerSink: CAP };
  return new RecoveryPacer(
    databaseOf(database.manager),
    stub(gate),
    stub({ record: async () => undefined }),
    stub({ notify: () => undefined }),
    stub(options),
  );
}

async function start(id: string): Promise<void> {
  const since = new Date(Date.now() - 3_600_000);
  const { until, failed: total } = await recoveries.survey(SCOPE, { since }, 1_000);
  const requestedBy = { type: 'token', id: 'tok_1' };
  expect(
    await recoveries.start(
      { id, ...SCOPE, agentId: 'agt_1', since, until, total, requestedBy },
      databaseOf(database.manager),
    ),
  ).toBe(true);
}

/** Settles what waits; every fifth fails again. @returns how many */
async function settleWaiting(): Promise<number> {
  const [, settled] = (await database.query(
    `UPDATE agent_data_source_delivery
        SET status = CASE WHEN right(id, 1) IN ('0', '5') THEN 'FAILED' ELSE 'DELIVERED' END, settled_at = now(),
            next_attempt_at = NULL
      WHERE status IN ('PENDING', 'RETRYING') RETURNING id`,
  )) as [unknown, number];
  return settled;
}

it('make no more due than the window, none twice, and count every one', async () => {
  const pacers = Array.from({ length: PACERS }, pacer);
  const deliveries = new DeliveryRepository(databaseOf(database.manager));
  await start('rcv_1');
  let [settled, byHand] = [0, 0];
  for (let round = 1; round <= DELIVERIES; round++) {
    const redelivered = await Promise.all([
      deliveries.redeliver('ws_1', `dlv_${round * 7}`),
      deliveries.redeliver('ws_1', `dlv_${round * 7}`),
      ...pacers.map((one) => one.look()),
    ]);
    byHand += redelivered.filter((made) => made === true).length;
    const now = await settleWaiting();
    expect(now).toBeLessThanOrEqual(WINDOW + 1);
    settled += now;
    // Half-way another recovery takes the place of the first, which has not finished.
    if (round === 5) {
      await cancelRecovery(databaseOf(database.manager), 'rcv_1', 'requested');
      await start('rcv_2');
    }
    if (round > 5 && (await recoveries.find(SCOPE, 'rcv_2'))?.finishedAt) break;
  }
  await pacer().look();
  const [first, second] = await Promise.all([recoveries.find(SCOPE, 'rcv_1'), recoveries.find(SCOPE, 'rcv_2')]);
  for (const one of [first, second]) {
    expect(one).toMatchObject({ finishedAt: expect.any(Date), waiting: 0, cancelled: 0 });
    expect((one?.delivered ?? 0) + (one?.failed ?? 0)).toBe(one?.redelivered);
  }
  expect(first?.status).toBe('CANCELLED');
  expect(second?.status).toBe('DONE');
  expect((first?.redelivered ?? 0) + (second?.redelivered ?? 0) + byHand).toBe(settled);
  expect(byHand).toBeGreaterThan(0);
  expect(errors).toEqual([]);
});

it('cancelled during a step make nothing due afterwards', async () => {
  await database.query(
    `UPDATE agent_data_source_delivery SET status = 'FAILED', recovery_id = NULL, settled_at = now()`,
  );
  await start('rcv_3');
  const isWaiting = async (): Promise<boolean> => {
    const [row] = (await database.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )) as { n: number }[];
    return row?.n === 1;
  };
  const cancelled = await database.manager.transaction(async (transaction) => {
    await lockUnfinished(databaseOf(transaction), 'rcv_3');
    const cancelling = cancelRecovery(databaseOf(database.manager), 'rcv_3', 'requested');
    await until(isWaiting, 'whoever cancels waits for the step');
    expect(await redeliverNext(databaseOf(transaction), 'rcv_3', WINDOW)).toBe(WINDOW);
    return { cancelling };
  });
  expect(await cancelled.cancelling).toBe(true);
  expect(await redeliverNext(databaseOf(database.manager), 'rcv_3', 2 * WINDOW)).toBe(0);
  expect(await recoveries.find(SCOPE, 'rcv_3')).toMatchObject({ status: 'CANCELLED', redelivered: WINDOW });
});

interface PlanNode {
  readonly 'Actual Rows': number;
  readonly Plans?: readonly PlanNode[];
}

const rowsOf = (node: PlanNode): number[] => [node['Actual Rows'], ...(node.Plans ?? []).flatMap(rowsOf)];

it('a survey of a sink with very many failures is one statement that reads no more of them than its limit', async () => {
  await insertFailed('ads_2', 20_000);
  await database.query('ANALYZE agent_data_source_delivery');
  const read: number[][] = [];
  const query = async (sql: string, parameters: unknown[]): Promise<unknown> => {
    const [plan] = (await database.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, parameters)) as {
      'QUERY PLAN': readonly { readonly Plan: PlanNode }[];
    }[];
    read.push((plan?.['QUERY PLAN'] ?? []).flatMap(({ Plan }) => rowsOf(Plan)));
    return database.query(sql, parameters);
  };
  const watched = new RecoveryRepository(fakeDatabase(query));
  const since = new Date(Date.now() - 86_400_000);
  expect(await watched.survey({ ...SCOPE, dataSourceId: 'ads_2' }, { since }, 100)).toMatchObject({ failed: 101 });
  expect(read).toHaveLength(1);
  expect(Math.max(...(read[0] ?? []))).toBe(101);
});
