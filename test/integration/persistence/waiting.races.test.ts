import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { bringForward, cancelWaiting } from '../../../src/data-sinks/delivery/waiting.sql.js';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { claimDeliveries } from '../../../src/data-sinks/queue/claim-deliveries.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { insertCompletions } from './completions.js';

// On PostgreSQL: the embedded database has one connection, so that a request and a worker never meet there.
const ROUNDS = 30;
const EACH = 12;
const LIMITS = {
  ...{ batch: EACH, inFlightPerSink: EACH, inFlightPerWorkspace: 10_000, leaseMs: 60_000 },
  leasePrefix: new ThisWorker().leasePrefix,
};
let server: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  server = await migratedPostgres(dataSinksMigrations);
  dataSource = await new DataSource({ type: 'postgres', url: server.url, extra: { max: 20 } }).initialize();
});
afterAll(async () => {
  await dataSource.destroy();
  await server.drop();
});

const database = () => databaseOf(dataSource.manager);

/** Deliveries of one sink that wait: till now, or for an hour. */
async function waiting(round: string, count: number, due: boolean): Promise<string[]> {
  await insertCompletions(dataSource, [round]);
  const rows = await dataSource.query<{ id: string }[]>(
    `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format, part, retries_allowed,
       trigger, status, attempt_count, next_attempt_at)
     SELECT 'dlv_' || $1 || '_' || n, 'ws_1', 'agt_1', 'ads_' || $1, $1, 1, 'JSON', n, 2, 'AUTO', 'RETRYING', 1,
            now() + CASE WHEN $3 THEN interval '0' ELSE interval '1 hour' END
       FROM generate_series(1, $2::int) n RETURNING id`,
    [round, count, due],
  );
  return rows.map(({ id }) => id);
}

const rowOf = async (id: string) => {
  const [row] = await dataSource.query<Record<string, unknown>[]>(
    `SELECT status, reason, lease_token IS NOT NULL AS held, settled_at IS NOT NULL AS settled,
            next_attempt_at <= now() AS due, retries_spent
       FROM agent_data_source_delivery WHERE id = $1`,
    [id],
  );
  return row;
};

it('a delivery that is cancelled while it is claimed is cancelled or claimed, and never both', async () => {
  const seen = { cancelled: 0, claimed: 0 };
  for (let i = 0; i < ROUNDS; i++) {
    const ids = await waiting(`cancel${i}`, EACH, true);
    const [claim, ...cancels] = await Promise.all([
      claimDeliveries(database(), LIMITS),
      ...ids.map((id) => cancelWaiting(database(), { workspaceId: 'ws_1', id })),
    ]);
    const claimed = new Set(claim.deliveries.map(({ id }) => id));
    for (const [n, id] of ids.entries()) {
      const cancelled = cancels[n] !== null;
      expect({ id, cancelled, both: cancelled && claimed.has(id) }).toEqual({ id, cancelled, both: false });
      expect(await rowOf(id)).toMatchObject(
        cancelled
          ? { status: 'CANCELLED', reason: 'requested', held: false, settled: true }
          : { status: 'IN_FLIGHT', reason: null, held: true, settled: false },
      );
      seen[cancelled ? 'cancelled' : 'claimed']++;
    }
    const audited = await dataSource.query<{ delivery_id: string }[]>(
      'DELETE FROM agent_data_source_audit_outbox RETURNING delivery_id',
    );
    expect([audited].flat(2).filter((row) => typeof row === 'object')).toHaveLength(
      cancels.filter((one) => one !== null).length,
    );
  }
  expect(seen.cancelled).toBeGreaterThan(0);
});

it('of several requests to cancel one delivery, one does', async () => {
  const [id = ''] = await waiting('once', 1, false);
  const all = await Promise.all(
    Array.from({ length: 8 }, () => cancelWaiting(database(), { workspaceId: 'ws_1', id })),
  );
  expect(all.filter((one) => one !== null)).toHaveLength(1);
});

it('what a claim has taken, and has not committed yet, is neither cancelled nor made due', async () => {
  for (const ask of [cancelWaiting, bringForward]) {
    const round = `held-${ask.name}`;
    const [id = ''] = await waiting(round, 1, true);
    const asked = await database().transaction(async (transaction) => {
      const { deliveries } = await claimDeliveries(transaction, LIMITS);
      expect(deliveries.map((one) => one.id)).toContain(id);
      return { answer: ask(database(), { workspaceId: 'ws_1', id }) };
    });
    expect(await asked.answer).toBe(ask === cancelWaiting ? null : false);
    expect(await rowOf(id)).toMatchObject({ status: 'IN_FLIGHT', held: true, settled: false });
  }
});

it('one that is made due is due, spends nothing more, and is made due as often as it is asked for', async () => {
  const [id = ''] = await waiting('forward', 1, false);
  expect(await rowOf(id)).toMatchObject({ due: false });
  const key = { workspaceId: 'ws_1', id };
  for (let i = 0; i < 2; i++) expect(await bringForward(database(), key)).toBe(true);
  expect(await rowOf(id)).toMatchObject({ status: 'RETRYING', due: true, retries_spent: 0 });
  expect(await bringForward(database(), { ...key, workspaceId: 'ws_2' })).toBe(false);
  expect(await cancelWaiting(database(), { ...key, workspaceId: 'ws_2' })).toBeNull();
});
