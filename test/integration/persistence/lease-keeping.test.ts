import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import type { ClaimedDelivery } from '../../../src/data-sinks/domain/claimed-delivery.js';
import { openAttempts } from '../../../src/data-sinks/delivery/attempt-opening.sql.js';
import {
  endDeliveries,
  extendLeases,
  releaseDeliveries,
  sweepExpiredLeases,
} from '../../../src/data-sinks/queue/lease.sql.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';
import { releaseUnopened } from '../../../src/data-sinks/delivery/release-unopened.sql.js';
import { CONFIG, ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const NOBODY = '00000000-0000-4000-8000-000000000000';
const LEASE_MS = 60_000;

const claim = () => database.claim({ leaseMs: LEASE_MS });

async function claimOne(given: Parameters<ModuleDatabase['delivery']>[1] = {}): Promise<ClaimedDelivery> {
  await database.delivery(await database.sink(), given);
  const [delivery] = await claim();
  if (!delivery) throw new Error('nothing was claimed');
  return delivery;
}

async function openOne({ id, leaseToken }: ClaimedDelivery): Promise<string> {
  const payload = { bodyId: 'pld_1', sha256: 'ab'.repeat(32), bytes: 10, rows: 1 };
  const opening = {
    attemptId: newId('attempt'),
    deliveryId: id,
    leaseToken,
    url: CONFIG.url,
    configVersion: 1,
    payload,
  };
  const [opened] = await openAttempts(databaseOf(database.manager), 'worker-1', [
    { ...opening, authScheme: 'Bearer', unstored: null, handedOver: false },
  ]);
  if (!opened) throw new Error('nothing was opened');
  return opened.attemptId;
}

const waitOf = async (row: Record<string, unknown>) =>
  (row['next_attempt_at'] as Date).getTime() - (await database.now());

describe('a released delivery', () => {
  it.each([
    [0, false, 'PENDING', 3],
    [0, true, 'PENDING', 4],
    [2, false, 'RETRYING', 3],
    [2, true, 'RETRYING', 4],
  ])('after %i attempts, own failure: %s, waits as %s', async (attempts, ownFailure, status, ownFailures) => {
    const delivery = await claimOne({ attempt_count: attempts, own_failures: 3, retries_spent: 1 });
    await releaseDeliveries(databaseOf(database.manager), [{ ...delivery, waitMs: 7_000, ownFailure }]);
    const row = await database.one('delivery', delivery.id);
    expect(row).toMatchObject({
      status,
      own_failures: ownFailures,
      retries_spent: 1,
      attempt_count: attempts,
      lease_token: null,
      lease_expires_at: null,
      settled_at: null,
    });
    expect(await waitOf(row)).toBeGreaterThan(6_000);
  });

  it('counts our failures up to the maximum of the column', async () => {
    const delivery = await claimOne({ own_failures: 1_000 });
    await releaseDeliveries(databaseOf(database.manager), [{ ...delivery, waitMs: 0, ownFailure: true }]);
    expect(await database.one('delivery', delivery.id)).toMatchObject({ own_failures: 1_000 });
  });

  it('keeps its new lease when the old one was lost', async () => {
    const delivery = await claimOne();
    await releaseDeliveries(databaseOf(database.manager), [
      { ...delivery, leaseToken: NOBODY, waitMs: 0, ownFailure: true },
    ]);
    expect(await database.one('delivery', delivery.id)).toMatchObject({ status: 'IN_FLIGHT', own_failures: 0 });
  });
});

describe('a delivery whose attempt could not be opened', () => {
  type Held = Pick<ClaimedDelivery, 'id' | 'leaseToken'>;
  const giveAllBack = (deliveries: readonly (Held & { waitMs: number })[]) =>
    database.dataSource.transaction((transaction) => releaseUnopened(databaseOf(transaction), deliveries, 10_000));
  const giveBack = async (delivery: Held) => {
    const { id, leaseToken } = delivery;
    return (await giveAllBack([{ id, leaseToken, waitMs: 7_000 }])).has(leaseToken);
  };

  it('waits as after our own failure, which is not counted as a crash', async () => {
    const delivery = await claimOne({ own_failures: 3, retries_spent: 1, abandoned: 1 });
    expect(await giveBack(delivery)).toBe(true);
    const row = await database.one('delivery', delivery.id);
    expect(row).toMatchObject({
      ...{ status: 'PENDING', attempt_count: 0, own_failures: 4, retries_spent: 1, abandoned: 1 },
      ...{ last_attempt_status: null, last_error_code: null, lease_token: null, lease_expires_at: null },
    });
    expect(await waitOf(row)).toBeGreaterThan(6_000);
  });

  it('but was, its answer lost, leaves an ABANDONED row and none that is open', async () => {
    const delivery = await claimOne({ own_failures: 1_000 });
    const attemptId = await openOne(delivery);
    expect(await giveBack(delivery)).toBe(true);
    expect(await database.one('sync', attemptId)).toMatchObject({
      ...{ status: 'ABANDONED', error_code: 'internal_error', finished_at: expect.any(Date) },
    });
    expect(await database.one('delivery', delivery.id)).toMatchObject({
      ...{ status: 'RETRYING', attempt_count: 1, own_failures: 1_000, retries_spent: 0, abandoned: 0 },
      ...{ last_attempt_status: 'ABANDONED', last_error_code: 'internal_error' },
    });
  });

  it('keeps its new lease when the old one was lost, and its attempt too', async () => {
    const delivery = await claimOne();
    const attemptId = await openOne(delivery);
    expect(await giveBack({ ...delivery, leaseToken: NOBODY })).toBe(false);
    expect(await database.one('delivery', delivery.id)).toMatchObject({ status: 'IN_FLIGHT', own_failures: 0 });
    expect(await database.one('sync', attemptId)).toMatchObject({ status: 'IN_FLIGHT' });
  });

  it('is released with others, each with its own wait, except those of another worker', async () => {
    const sink = await database.sink();
    for (let i = 0; i < 3; i++) await database.delivery(sink);
    const [soon, later, lost] = await claim();
    if (!soon || !later || !lost) throw new Error('too few were claimed');
    const attemptId = await openOne(later);
    const tokens = await giveAllBack([
      { ...later, waitMs: 90_000 },
      { ...lost, leaseToken: NOBODY, waitMs: 1_000 },
      { ...soon, waitMs: 1_000 },
    ]);
    expect(tokens).toEqual(new Set([soon.leaseToken, later.leaseToken]));
    const rowOf = (id: string) => database.one('delivery', id);
    expect(await rowOf(soon.id)).toMatchObject({ status: 'PENDING', own_failures: 1, last_attempt_status: null });
    expect(await waitOf(await rowOf(soon.id))).toBeLessThan(10_000);
    expect(await rowOf(later.id)).toMatchObject({ status: 'RETRYING', last_attempt_status: 'ABANDONED' });
    expect(await waitOf(await rowOf(later.id))).toBeGreaterThan(60_000);
    expect(await database.one('sync', attemptId)).toMatchObject({ status: 'ABANDONED' });
    expect(await rowOf(lost.id)).toMatchObject({ status: 'IN_FLIGHT', own_failures: 0 });
  });
});

describe('a delivery that ends without an attempt', () => {
  it.each([
    ['CANCELLED', 'agent_inactive'],
    ['CANCELLED', 'plan_required'],
    ['FAILED', 'results_missing'],
  ] as const)('is %s with reason %s', async (status, reason) => {
    const { id, leaseToken } = await claimOne();
    await endDeliveries(databaseOf(database.manager), [
      { id, leaseToken, status, reason } as Parameters<typeof endDeliveries>[1][number],
    ]);
    expect(await database.one('delivery', id)).toMatchObject({
      status,
      reason,
      attempt_count: 0,
      next_attempt_at: null,
      lease_token: null,
      settled_at: expect.any(Date),
    });
    expect(await database.all('SELECT FROM agent_data_source_sync')).toEqual([]);
  });

  it('is unchanged when the lease was lost', async () => {
    const { id } = await claimOne();
    await endDeliveries(databaseOf(database.manager), [
      { id, leaseToken: NOBODY, status: 'CANCELLED', reason: 'sink_inactive' },
    ]);
    expect(await database.one('delivery', id)).toMatchObject({ status: 'IN_FLIGHT', reason: null });
  });
});

describe('leases', () => {
  it('are extended if still held, and lost ones are reported', async () => {
    const sink = await database.sink();
    for (let i = 0; i < 3; i++) await database.delivery(sink);
    const [held, taken, settled] = await claim();
    if (!held || !taken || !settled) throw new Error('too few were claimed');
    await database.all('UPDATE agent_data_source_delivery SET lease_token = $2 WHERE id = $1', [taken.id, NOBODY]);
    await endDeliveries(databaseOf(database.manager), [{ ...settled, status: 'CANCELLED', reason: 'sink_inactive' }]);
    await database.advance(50_000);
    const kept = await extendLeases(databaseOf(database.manager), [held, taken, settled], LEASE_MS);
    expect([...kept]).toEqual([held.leaseToken]);
    await database.advance(50_000);
    const swept = await sweepExpiredLeases(databaseOf(database.manager), {
      includeGoneWorkers: false,
      maxAbandoned: 5,
    });
    expect(swept.map(({ deliveryId }) => deliveryId)).toEqual([taken.id]);
  });

  it('that have not expired are not swept', async () => {
    const { id } = await claimOne();
    await database.advance(LEASE_MS - 5_000);
    expect(
      await sweepExpiredLeases(databaseOf(database.manager), { includeGoneWorkers: false, maxAbandoned: 5 }),
    ).toEqual([]);
    expect(await database.one('delivery', id)).toMatchObject({ status: 'IN_FLIGHT', abandoned: 0 });
  });
});

describe('the leases of a worker that has missed its heartbeats', () => {
  const [ours, theirs] = [new ThisWorker(), new ThisWorker()];
  const CLOSED = 999_999;
  const sweep = (includeGoneWorkers: boolean) =>
    sweepExpiredLeases(databaseOf(database.manager), { includeGoneWorkers, maxAbandoned: 5 });

  /**
   * @param backend the process of the database that answered its last heartbeat, as SQL
   * @param began when that process began, as SQL
   */
  async function lastSeen(
    { id }: ThisWorker,
    secondsAgo: number,
    backend: string | number = CLOSED,
    began = 'NULL',
  ): Promise<void> {
    await database.all(
      `INSERT INTO agent_data_source_worker (id, name, seen_at, backend_pid, backend_started_at)
       VALUES ($1, 'a', now() - $2::int * interval '1 second', ${backend}, ${began})`,
      [id, secondsAgo],
    );
  }

  async function claimed({ leasePrefix }: ThisWorker): Promise<string> {
    const id = await database.delivery(await database.sink());
    const claims = await database.claim({ leaseMs: LEASE_MS, leasePrefix });
    expect(claims.map((claim) => claim.id)).toEqual([id]);
    return id;
  }

  it("are taken back once its connection is closed, and no other worker's", async () => {
    const gone = await claimed(theirs);
    await claimed(ours);
    await lastSeen(theirs, 9);
    await lastSeen(ours, 1);
    expect((await sweep(true)).map(({ deliveryId }) => deliveryId)).toEqual([gone]);
    expect(await sweep(true)).toEqual([]);
  });

  it.each([
    ['as long as it has its connection', 60, 'pg_backend_pid()'],
    ['as long as too few are missing', 7, CLOSED],
    ['of a version that does not say over which connection', 60, 'NULL'],
  ])('stay %s', async (_, secondsAgo, backend) => {
    await claimed(theirs);
    await lastSeen(theirs, secondsAgo, backend);
    expect(await sweep(true)).toEqual([]);
    await database.advance(LEASE_MS + 1);
    expect(await sweep(true)).toHaveLength(1);
  });

  it('are taken back once another connection has the number of its own', async () => {
    const gone = await claimed(theirs);
    await lastSeen(theirs, 60, 'pg_backend_pid()', `now() - interval '1 year'`);
    expect((await sweep(true)).map(({ deliveryId }) => deliveryId)).toEqual([gone]);
  });

  it('stay as long as the database may have been away for everybody', async () => {
    await claimed(theirs);
    await lastSeen(theirs, 60);
    expect(await sweep(false)).toEqual([]);
  });
});

describe('a delivery whose worker died', () => {
  it('before its attempt was opened waits again, without an attempt row', async () => {
    const delivery = await claimOne();
    await database.advance(LEASE_MS + 1);
    expect(
      await sweepExpiredLeases(databaseOf(database.manager), { includeGoneWorkers: false, maxAbandoned: 5 }),
    ).toMatchObject([{ deliveryId: delivery.id, sinkType: 'HTTPS_WEBHOOK', status: 'PENDING' }]);
    expect(await database.one('delivery', delivery.id)).toMatchObject({ abandoned: 1, last_attempt_status: null });
    expect((await claim()).map(({ id }) => id)).toEqual([delivery.id]);
  });

  it('during an attempt leaves an ABANDONED row, and uses no retry', async () => {
    const delivery = await claimOne({ retries_spent: 1 });
    const attemptId = await openOne(delivery);
    await database.advance(LEASE_MS + 1);
    expect(
      await sweepExpiredLeases(databaseOf(database.manager), { includeGoneWorkers: false, maxAbandoned: 5 }),
    ).toMatchObject([{ deliveryId: delivery.id, status: 'RETRYING' }]);
    expect(await database.one('sync', attemptId)).toMatchObject({
      status: 'ABANDONED',
      error_code: 'worker_lost',
      finished_at: expect.any(Date),
    });
    expect(await database.one('delivery', delivery.id)).toMatchObject({
      attempt_count: 1,
      retries_spent: 1,
      last_attempt_status: 'ABANDONED',
      last_error_code: 'worker_lost',
      lease_token: null,
    });
    expect(await claim()).toMatchObject([{ id: delivery.id, attemptCount: 1, retriesSpent: 1 }]);
  });

  it('too often ends FAILED, since it may be the cause', async () => {
    const { id } = await claimOne();
    for (let times = 1; times < 3; times++) {
      await database.advance(LEASE_MS + 1);
      expect(
        await sweepExpiredLeases(databaseOf(database.manager), { includeGoneWorkers: false, maxAbandoned: 3 }),
      ).toMatchObject([{ status: 'PENDING' }]);
      await claim();
    }
    await database.advance(LEASE_MS + 1);
    expect(
      await sweepExpiredLeases(databaseOf(database.manager), { includeGoneWorkers: false, maxAbandoned: 3 }),
    ).toMatchObject([{ deliveryId: id, status: 'FAILED' }]);
    expect(await database.one('delivery', id)).toMatchObject({
      status: 'FAILED',
      reason: 'abandoned_too_often',
      abandoned: 3,
      next_attempt_at: null,
      settled_at: expect.any(Date),
    });
    expect(await claim()).toEqual([]);
  });

  it('is swept with others up to the limit, longest expired first', async () => {
    const sink = await database.sink();
    const ids = [];
    for (let i = 0; i < 3; i++) {
      ids.push(await database.delivery(sink));
      await claim();
      await database.advance(1_000);
    }
    await database.advance(LEASE_MS);
    const first = await sweepExpiredLeases(databaseOf(database.manager), {
      includeGoneWorkers: false,
      maxAbandoned: 5,
      limit: 2,
    });
    expect(first.map(({ deliveryId }) => deliveryId).sort()).toEqual(ids.slice(0, 2).sort());
    const second = await sweepExpiredLeases(databaseOf(database.manager), {
      includeGoneWorkers: false,
      maxAbandoned: 5,
      limit: 2,
    });
    expect(second.map(({ deliveryId }) => deliveryId)).toEqual(ids.slice(2));
  });
});
