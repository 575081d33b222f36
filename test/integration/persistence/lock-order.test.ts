import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { PayloadStore } from '../../../src/data-sinks/payload/payload-store.js';
import { recordCompletions } from '../../../src/data-sinks/intake/delivery-recorder.sql.js';
import { type Database, databaseOf } from '../../../src/data-sinks/database/database.js';
import { disableFailing } from '../../../src/data-sinks/settlement/auto-disable.sql.js';
import { releaseUnopened } from '../../../src/data-sinks/delivery/release-unopened.sql.js';
import { openCircuits, closeCircuits } from '../../../src/data-sinks/settlement/sink-circuit.sql.js';
import { until } from '../../support/platform/until.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { CONFIG } from './module-database.js';
import { insertCompletions } from './completions.js';
import { stub } from '../../support/stub.js';

// On PostgreSQL: two processes never meet on the embedded database.
let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await migratedPostgres(dataSinksMigrations);
  dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await dataSource.query(
    `INSERT INTO agent_data_source (id, workspace_id, agent_id, role, type, name, config, format, status, secret_id,
       secret_created_at, failures_in_row)
     SELECT 'ads_' || n, 'ws_1', 'agt_1', 'RESULTS_SINK', 'HTTPS_WEBHOOK', 'BI', $1, 'JSON', 'ACTIVE', 'sec_' || n, now(), 1
       FROM generate_series(2, 1, -1) n`,
    [CONFIG],
  );
  await insertCompletions(dataSource, ['job_of_dlv_1', 'job_of_dlv_2', 'job_gone']);
  await dataSource.query(
    `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format, recipe,
       retries_allowed, trigger, status, lease_token, lease_expires_at)
     SELECT 'dlv_' || n, 'ws_1', 'agt_1', 'ads_1', 'job_of_dlv_' || n, 1, 'JSON', 'JSON', 2, 'AUTO', 'IN_FLIGHT', $1, now()
       FROM generate_series(2, 1, -1) n`,
    [TOKEN],
  );
  await dataSource.query(
    `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format, recipe,
       retries_allowed, trigger, status, reason, settled_at)
     SELECT 'dlv_of_ads_' || n, 'ws_1', 'agt_1', 'ads_' || n, 'job_gone', 1, 'JSON', 'JSON', 2, 'AUTO', 'FAILED',
            'not_retryable', now()
       FROM generate_series(1, 2) n`,
  );
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const INSERT_JOB = `INSERT INTO agent_data_source_job (job_id, run, workspace_id, agent_id, completed_at, total, matched, unmatched)
  VALUES ($1, 1, 'ws_1', 'agt_1', now(), 1, 1, 0)`;
const INSERT_BODY = `INSERT INTO agent_data_source_payload (workspace_id, job_id, run, format, body_id, ready)
  VALUES ('ws_1', $1, 1, 'JSON', 'pld_of_' || $1, true)`;
const TOKEN = '00000000-0000-4000-8000-000000000000';
const LOCK_DELIVERY = 'SELECT FROM agent_data_source_delivery WHERE id = $1 FOR UPDATE';
const LOCK_SINK = 'SELECT FROM agent_data_source WHERE id = $1 FOR UPDATE';

const completion = (jobId: string) => ({
  ...{ jobId, run: 1, workspaceId: 'ws_1', agentId: 'agt_1', completedAt: new Date() },
  stats: { total: 1, matched: 1, unmatched: 0 },
});

interface Writer {
  readonly keys: readonly [first: string, second: string];
  /** What another process does to a row that it writes. */
  readonly take: string;
  /** Writes both, asked for the second one first. */
  readonly write: (session: Database, first: string, second: string) => Promise<unknown>;
}

const ON_SINKS = { keys: ['ads_1', 'ads_2'], take: LOCK_SINK } as const;
const RULE = { failures: 9, pauseMs: 1, longestMs: 1 };

const WRITERS: Readonly<Record<string, Writer>> = {
  'recording completions': {
    ...{ keys: ['job_1', 'job_2'], take: INSERT_JOB },
    write: (session, first, second) => recordCompletions(session, 'AUTO', [completion(second), completion(first)], []),
  },
  'storing small bodies': {
    ...{ keys: ['job_1', 'job_2'], take: INSERT_BODY },
    write: (session, first, second) => {
      const store = new PayloadStore(session, stub({ leaseMs: 60_000 }));
      const bodies = [second, first].map((jobId) =>
        store.insertWhole(
          { workspaceId: 'ws_1', jobId, run: 1, recipe: 'JSON' },
          { bodyId: `pld_${jobId}`, sha256: '', bytes: 0, rows: 0 },
          Buffer.alloc(0),
        ),
      );
      return Promise.all(bodies);
    },
  },
  'giving deliveries back': {
    ...{ keys: ['dlv_1', 'dlv_2'], take: LOCK_DELIVERY },
    write: (session, first, second) =>
      releaseUnopened(
        session,
        [second, first].map((id) => ({ id, leaseToken: TOKEN, waitMs: 0 })),
        60_000,
      ),
  },
  'pausing sinks': {
    ...ON_SINKS,
    write: (session, first, second) =>
      openCircuits(
        session,
        [second, first].map((dataSourceId) => ({ dataSourceId, failures: 1 })),
        RULE,
      ),
  },
  'resuming sinks': { ...ON_SINKS, write: (session, first, second) => closeCircuits(session, [second, first]) },
  'disabling sinks': {
    ...ON_SINKS,
    write: (session, first, second) =>
      disableFailing(
        session,
        [second, first].map((dataSourceId) => ({ deliveryId: `dlv_of_${dataSourceId}`, dataSourceId, gone: true })),
        { failures: 5, afterMs: 1_000, attemptRetentionMs: 86_400_000 },
      ),
  },
};

it.each(Object.entries(WRITERS))(
  '%s waits for the first row with the second one free, whatever the order it is asked in',
  async (_name, { keys: [first, second], take, write }) => {
    const holder = dataSource.createQueryRunner();
    const other = dataSource.createQueryRunner();
    await holder.startTransaction();
    await holder.query(take, [first]);
    const written = write(databaseOf(dataSource.manager), first, second);
    try {
      const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await until(async () => (await dataSource.query<object[]>(waiting)).length > 0, 'the writer waits');
      await other.startTransaction();
      await other.query(`SET LOCAL lock_timeout = '500ms'`);
      await expect(other.query(take, [second])).resolves.toBeDefined();
    } finally {
      if (other.isTransactionActive) await other.rollbackTransaction();
      await holder.rollbackTransaction();
      await Promise.all([other.release(), holder.release()]);
    }
    await written;
  },
);
