import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ClaimedDelivery } from '../../../src/data-sinks/core/claimed-delivery.js';
import { openAttempts } from '../../../src/data-sinks/persistence/attempt-log.js';
import {
  endDeliveries,
  extendLeases,
  releaseDeliveries,
  sweepExpiredLeases,
} from '../../../src/data-sinks/persistence/lease-keeping.js';
import { releaseUnopened } from '../../../src/data-sinks/persistence/release-unopened.js';
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
  const [opened] = await openAttempts(database.manager, 'worker-1', [{ ...opening, authScheme: 'Bearer' }]);
  if (!opened) throw new Error('nothing was opened');
  return opened.attemptId;
}

const waitOf = async (row: Record<string, unknown>) =>
  (row['next_attempt_at'] as Date).getTime() - (await database.now());

describe('a delivery that is given back', () => {
  it.each([
    [0, false, 'PENDING', 3],
    [0, true, 'PENDING', 4],
    [2, false, 'RETRYING', 3],
    [2, true, 'RETRYING', 4],
  ])('after %i attempts, own failure: %s, waits as %s', async (attempts, ownFailure, status, ownFailures) => {
    const delivery = await claimOne({ attempt_count: attempts, own_failures: 3, retries_spent: 1 });
    await releaseDeliveries(database.manager, [{ ...delivery, waitMs: 7_000, ownFailure }]);
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

  it('counts our failures no further than a column holds', async () => {
    const delivery = await claimOne({ own_failures: 1_000 });
    await releaseDeliveries(database.manager, [{ ...delivery, waitMs: 0, ownFailure: true }]);
    expect(await database.one('delivery', delivery.id)).toMatchObject({ own_failures: 1_000 });
  });

  it('stays with its new holder when the lease was lost', async () => {
    const delivery = await claimOne();
    await releaseDeliveries(database.manager, [{ ...delivery, leaseToken: NOBODY, waitMs: 0, ownFailure: true }]);
    expect(await database.one('delivery', delivery.id)).toMatchObject({ status: 'IN_FLIGHT', own_failures: 0 });
  });
});

describe('a delivery whose attempt could not be opened', () => {
  type Held = Pick<ClaimedDelivery, 'id' | 'leaseToken'>;
  const giveAllBack = (deliveries: readonly (Held & { waitMs: number })[]) =>
    database.dataSource.transaction((transaction) => releaseUnopened(transaction, deliveries, 10_000));
  const giveBack = async (delivery: Held) => {
    const { id, leaseToken } = delivery;
    return (await giveAllBack([{ id, leaseToken, waitMs: 7_000 }])).has(leaseToken);
  };

  it('waits as after a failure of our own, which is not a worker that died', async () => {
    const delivery = await claimOne({ own_failures: 3, retries_spent: 1, abandoned: 1 });
    expect(await giveBack(delivery)).toBe(true);
    const row = await database.one('delivery', delivery.id);
    expect(row).toMatchObject({
      ...{ status: 'PENDING', attempt_count: 0, own_failures: 4, retries_spent: 1, abandoned: 1 },
      ...{ last_attempt_status: null, last_error_code: null, lease_token: null, lease_expires_at: null },
    });
    expect(await waitOf(row)).toBeGreaterThan(6_000);
  });

  it('though it was, its answer lost, leaves an ABANDONED row and none that is open', async () => {
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

  it('stays with its new holder when the lease was lost, and so does the attempt', async () => {
    const delivery = await claimOne();
    const attemptId = await openOne(delivery);
    expect(await giveBack({ ...delivery, leaseToken: NOBODY })).toBe(false);
    expect(await database.one('delivery', delivery.id)).toMatchObject({ status: 'IN_FLIGHT', own_failures: 0 });
    expect(await database.one('sync', attemptId)).toMatchObject({ status: 'IN_FLIGHT' });
  });

  it('is given back with others, each with its own wait, but for those that are another worker’s', async () => {
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

describe('a delivery that is ended without an attempt', () => {
  it.each([
    ['CANCELLED', 'agent_inactive'],
    ['CANCELLED', 'plan_required'],
    ['FAILED', 'results_missing'],
  ] as const)('is %s with reason %s', async (status, reason) => {
    const { id, leaseToken } = await claimOne();
    await endDeliveries(database.manager, [
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

  it('is left alone when the lease was lost', async () => {
    const { id } = await claimOne();
    await endDeliveries(database.manager, [{ id, leaseToken: NOBODY, status: 'CANCELLED', reason: 'sink_inactive' }]);
    expect(await database.one('delivery', id)).toMatchObject({ status: 'IN_FLIGHT', reason: null });
  });
});

describe('leases', () => {
  it('are extended for those that are still held, and the others are told', async () => {
    const sink = await database.sink();
    for (let i = 0; i < 3; i++) await database.delivery(sink);
    const [held, taken, settled] = await claim();
    if (!held || !taken || !settled) throw new Error('too few were claimed');
    await database.all('UPDATE agent_data_source_delivery SET lease_token = $2 WHERE id = $1', [taken.id, NOBODY]);
    await endDeliveries(database.manager, [{ ...settled, status: 'CANCELLED', reason: 'sink_inactive' }]);
    await database.advance(50_000);
    const kept = await extendLeases(database.manager, [held, taken, settled], LEASE_MS);
    expect([...kept]).toEqual([held.leaseToken]);
    await database.advance(50_000);
    const swept = await sweepExpiredLeases(database.manager, 5);
    expect(swept.map(({ deliveryId }) => deliveryId)).toEqual([taken.id]);
  });

  it('that have not run out are not swept', async () => {
    const { id } = await claimOne();
    await database.advance(LEASE_MS - 5_000);
    expect(await sweepExpiredLeases(database.manager, 5)).toEqual([]);
    expect(await database.one('delivery', id)).toMatchObject({ status: 'IN_FLIGHT', abandoned: 0 });
  });
});

describe('a delivery whose worker is gone', () => {
  it('before its attempt was opened waits again, with nothing on record', async () => {
    const delivery = await claimOne();
    await database.advance(LEASE_MS + 1);
    expect(await sweepExpiredLeases(database.manager, 5)).toMatchObject([
      { deliveryId: delivery.id, status: 'PENDING' },
    ]);
    expect(await database.one('delivery', delivery.id)).toMatchObject({ abandoned: 1, last_attempt_status: null });
    expect((await claim()).map(({ id }) => id)).toEqual([delivery.id]);
  });

  it('in the middle of an attempt leaves an ABANDONED row, and spends no retry', async () => {
    const delivery = await claimOne({ retries_spent: 1 });
    const attemptId = await openOne(delivery);
    await database.advance(LEASE_MS + 1);
    expect(await sweepExpiredLeases(database.manager, 5)).toMatchObject([
      { deliveryId: delivery.id, status: 'RETRYING' },
    ]);
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

  it('again and again ends FAILED: it may be what takes its workers down', async () => {
    const { id } = await claimOne();
    for (let times = 1; times < 3; times++) {
      await database.advance(LEASE_MS + 1);
      expect(await sweepExpiredLeases(database.manager, 3)).toMatchObject([{ status: 'PENDING' }]);
      await claim();
    }
    await database.advance(LEASE_MS + 1);
    expect(await sweepExpiredLeases(database.manager, 3)).toMatchObject([{ deliveryId: id, status: 'FAILED' }]);
    expect(await database.one('delivery', id)).toMatchObject({
      status: 'FAILED',
      reason: 'abandoned_too_often',
      abandoned: 3,
      next_attempt_at: null,
      settled_at: expect.any(Date),
    });
    expect(await claim()).toEqual([]);
  });

  it('is swept with as many others as the limit allows, longest gone first', async () => {
    const sink = await database.sink();
    const ids = [];
    for (let i = 0; i < 3; i++) {
      ids.push(await database.delivery(sink));
      await claim();
      await database.advance(1_000);
    }
    await database.advance(LEASE_MS);
    const first = await sweepExpiredLeases(database.manager, 5, 2);
    expect(first.map(({ deliveryId }) => deliveryId).sort()).toEqual(ids.slice(0, 2).sort());
    const second = await sweepExpiredLeases(database.manager, 5, 2);
    expect(second.map(({ deliveryId }) => deliveryId)).toEqual(ids.slice(2));
  });
});
