import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { claimDeliveries } from '../../../src/data-sinks/queue/claim-deliveries.js';
import { CONFIG, ModuleDatabase } from './module-database.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const LIMITS = {
  batch: 64,
  inFlightPerSink: 16,
  inFlightPerWorkspace: 128,
  leaseMs: 60_000,
  leasePrefix: new ThisWorker().leasePrefix,
};
const turn = (limits: Partial<typeof LIMITS> = {}) =>
  claimDeliveries(databaseOf(database.manager), { ...LIMITS, ...limits });
const claim = async (limits: Partial<typeof LIMITS> = {}) => (await turn(limits)).deliveries;
const claimedIds = async (limits: Partial<typeof LIMITS> = {}) => (await claim(limits)).map(({ id }) => id).sort();

describe('a claim', () => {
  it('takes due deliveries and no others', async () => {
    const sink = await database.sink();
    const due = [await database.delivery(sink), await database.delivery(sink, { dueInMs: -5_000, status: 'RETRYING' })];
    await database.delivery(sink, { dueInMs: 5_000 });
    for (const status of ['DELIVERED', 'FAILED', 'CANCELLED']) await database.delivery(sink, { status, dueInMs: null });
    expect(await claimedIds()).toEqual(due.sort());
  });

  it('takes the others when they are due', async () => {
    const sink = await database.sink();
    const later = await database.delivery(sink, { dueInMs: 30_000, status: 'RETRYING' });
    await database.advance(29_999);
    expect(await claimedIds()).toEqual([]);
    await database.advance(1);
    expect(await claimedIds()).toEqual([later]);
  });

  it('takes no delivery twice', async () => {
    const sink = await database.sink();
    await database.delivery(sink);
    expect(await claimedIds()).toHaveLength(1);
    expect(await claimedIds()).toEqual([]);
  });

  it('gives each delivery its own lease', async () => {
    const sink = await database.sink();
    const ids = [await database.delivery(sink), await database.delivery(sink)];
    const [one, other] = await claim({ leaseMs: 90_000 });
    expect(one?.leaseToken).not.toBe(other?.leaseToken);
    const row = await database.one('delivery', ids[0] ?? '');
    expect(row).toMatchObject({ status: 'IN_FLIGHT', lease_token: one?.leaseToken, next_attempt_at: null });
    const left = (row['lease_expires_at'] as Date).getTime() - (await database.now());
    expect(left).toBeGreaterThan(80_000);
    expect(left).toBeLessThanOrEqual(90_000);
  });

  it('returns everything that the next attempt needs', async () => {
    const sink = await database.sink({ config_version: 3, secret_id: 'sec_1' });
    const id = await database.delivery(sink, {
      job_id: 'job_1',
      status: 'RETRYING',
      attempt_count: 2,
      retries_spent: 1,
      own_failures: 4,
    });
    const [claimed] = await claim();
    expect(claimed).toEqual({
      id,
      workspaceId: 'ws_1',
      agentId: 'agt_1',
      dataSourceId: sink,
      jobId: 'job_1',
      run: 1,
      recipe: 'JSON',
      trigger: 'AUTO',
      attemptCount: 2,
      retriesAllowed: 2,
      retriesSpent: 1,
      ownFailures: 4,
      lastErrorCode: null,
      handedOver: false,
      leaseToken: expect.stringMatching(/^[\da-f-]{36}$/),
      completedAt: new Date('2026-05-25T12:34:56Z'),
      stats: { total: 3, matched: 2, unmatched: 1 },
      sink: {
        ...{ config: CONFIG, configVersion: 3, status: 'ACTIVE', deletedAt: null },
        ...{ type: 'HTTPS_WEBHOOK', secretId: 'sec_1', previousSecret: null, failuresInRow: 0 },
      },
      payload: null,
      traceContext: null,
    });
  });

  it('returns each delivery’s own sink, job and body, whatever it shares with others', async () => {
    const sinks = [await database.sink({ secret_id: 'sec_a' }), await database.sink({ secret_id: 'sec_b' })];
    const wanted: unknown[] = [];
    for (const [i, sink] of sinks.entries())
      for (const job of ['job_1', 'job_2'])
        for (const run of [1, 2]) {
          const recipe = i === 0 ? 'JSON' : 'CSV';
          const id = await database.delivery(sink, { job_id: job, run, recipe });
          wanted.push([id, `sec_${'ab'.charAt(i)}`, `${job}/${run}/${recipe}`]);
        }
    await database.all(
      `INSERT INTO agent_data_source_payload 
         (workspace_id, job_id, run, format, body_id, ready, sha256, byte_count, row_count)
       SELECT 'ws_1', j, r, f, concat_ws('/', j, r, f), true, '\\xabcd', 1, 1
         FROM unnest('{job_1,job_2}'::text[]) j, generate_series(1, 2) r, unnest('{JSON,CSV}'::text[]) f`,
    );
    const got = (await claim()).map(({ id, sink, payload }) => [id, sink?.secretId, payload?.bodyId]);
    expect(got.sort()).toEqual(wanted.sort());
  });

  it('returns the end of the overlap of the previous secret, and when the sink was deleted', async () => {
    const [deletedAt, expiresAt] = [new Date('2026-05-25T12:34:56.789Z'), new Date('2126-05-25T12:34:56.789Z')];
    const sink = await database.sink({
      ...{ deleted_at: deletedAt, previous_secret_id: 'sec_0', previous_secret_expires_at: expiresAt },
    });
    await database.delivery(sink);
    const [claimed] = await claim();
    expect(claimed?.sink).toMatchObject({ deletedAt, previousSecret: { secretId: 'sec_0', expiresAt } });
  });

  it('returns the time at its end, not at its start', async () => {
    const begunAt = await database.now();
    const { answeredAt } = await database.manager.transaction(async (transaction) => {
      await transaction.query('SELECT pg_sleep(0.1)');
      return claimDeliveries(databaseOf(transaction), LIMITS);
    });
    expect(answeredAt.getTime() - begunAt).toBeGreaterThanOrEqual(100);
  });

  it('returns the body when it is complete, not while it is being built', async () => {
    const sink = await database.sink();
    for (const [job, ready] of [
      ['job_made', true],
      ['job_half', false],
    ] as const) {
      await database.delivery(sink, { job_id: job });
      await database.all(
        `INSERT INTO agent_data_source_payload 
           (workspace_id, job_id, run, format, body_id, ready, sha256, byte_count, row_count)
         VALUES ('ws_1', $1, 1, 'JSON', $1 || '_body', $2, '\\xabcd', 1234, 3)`,
        [job, ready],
      );
    }
    const payloads = (await claim()).map(({ jobId, payload }) => [jobId, payload]);
    expect(Object.fromEntries(payloads)).toEqual({
      job_made: { bodyId: 'job_made_body', sha256: 'abcd', bytes: 1234, rows: 3 },
      job_half: null,
    });
  });

  it('reports a sink that is deleted, or whose row is gone', async () => {
    const deleted = await database.sink({ deleted_at: new Date(0), status: 'INACTIVE' });
    await database.delivery(deleted);
    await database.delivery('ads_gone');
    const bySink = new Map((await claim()).map(({ dataSourceId, sink }) => [dataSourceId, sink]));
    expect(bySink.get(deleted)).toMatchObject({ status: 'INACTIVE', deletedAt: new Date(0) });
    expect(bySink.get('ads_gone')).toBeNull();
  });
});

describe('the shares of a claim', () => {
  async function backlog(sinks: number, each: number): Promise<string[]> {
    const ids = [];
    for (let s = 0; s < sinks; s++) {
      const sink = await database.sink();
      ids.push(sink);
      for (let i = 0; i < each; i++) await database.delivery(sink, { dueInMs: -1_000_000 + s * 10_000 + i });
    }
    return ids;
  }

  async function shares(limits: Partial<typeof LIMITS>): Promise<Record<string, number>> {
    const shares: Record<string, number> = {};
    for (const { dataSourceId } of await claim(limits)) shares[dataSourceId] = (shares[dataSourceId] ?? 0) + 1;
    return shares;
  }

  it('are equal, even if one sink has a long queue', async () => {
    const [long, second, third] = await backlog(3, 8);
    expect(await shares({ batch: 6 })).toEqual({ [long ?? '']: 2, [second ?? '']: 2, [third ?? '']: 2 });
  });

  it('go to other sinks if a sink needs less', async () => {
    const [busy] = await backlog(1, 10);
    const quiet = await database.sink();
    await database.delivery(quiet);
    expect(await shares({ batch: 5 })).toEqual({ [busy ?? '']: 4, [quiet]: 1 });
  });

  it('are limited by a sink’s maximum in flight, over all claims', async () => {
    const [one, other] = await backlog(2, 8);
    expect(await shares({ inFlightPerSink: 3 })).toEqual({ [one ?? '']: 3, [other ?? '']: 3 });
    expect(await shares({ inFlightPerSink: 3 })).toEqual({});
    await database.all(
      `UPDATE agent_data_source_delivery SET status = 'DELIVERED' WHERE id =
         (SELECT min(id) FROM agent_data_source_delivery WHERE data_source_id = $1 AND status = 'IN_FLIGHT')`,
      [one],
    );
    expect(await shares({ inFlightPerSink: 3 })).toEqual({ [one ?? '']: 1 });
  });

  it('reserve one place for the oldest retry, however many new deliveries arrive', async () => {
    const sink = await database.sink();
    const overdue = await database.delivery(sink, { status: 'RETRYING', dueInMs: -86_400_000 });
    await database.delivery(sink, { status: 'RETRYING', dueInMs: -1_000 });
    for (let i = 0; i < 20; i++) await database.delivery(sink);
    const claimed = await claim({ inFlightPerSink: 4 });
    expect(claimed).toHaveLength(4);
    expect(claimed.map(({ id }) => id)).toContain(overdue);
  });

  it('prefer new deliveries to retries, and those due first', async () => {
    const sink = await database.sink();
    await database.delivery(sink, { status: 'RETRYING', dueInMs: -9_000 });
    const oldRetry = await database.delivery(sink, { status: 'RETRYING', dueInMs: -10_000 });
    const lateFresh = await database.delivery(sink, { dueInMs: -1_000 });
    const earlyFresh = await database.delivery(sink, { dueInMs: -2_000 });
    expect(await claimedIds({ batch: 1 })).toEqual([earlyFresh]);
    expect(await claimedIds({ batch: 2 })).toEqual([lateFresh, oldRetry].sort());
  });
});

describe('deliveries of a disabled sink', () => {
  const disabled = () =>
    database.sink({ status: 'DISABLED', disabled_reason: 'REPEATED_5XX', disabled_at: new Date() });

  it('are not claimed, and take no other sink’s turn', async () => {
    const [closed, open] = [await disabled(), await database.sink()];
    for (let i = 0; i < 5; i++) await database.delivery(closed, { dueInMs: -60_000 });
    const id = await database.delivery(open);
    const claimed = await claim({ batch: 3, inFlightPerSink: 3 });
    expect(claimed.map((delivery) => delivery.id)).toEqual([id]);
  });
});
