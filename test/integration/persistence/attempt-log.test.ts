import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { watchedDatabase } from '../../support/fake-database.js';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import type { ClaimedDelivery } from '../../../src/data-sinks/domain/claimed-delivery.js';
import type { AttemptClosing } from '../../../src/data-sinks/domain/attempt-end.js';
import type { OpenedAttempt } from '../../../src/data-sinks/domain/attempt-end.js';
import { openAttempts } from '../../../src/data-sinks/delivery/attempt-opening.sql.js';
import { closeAttempts } from '../../../src/data-sinks/delivery/attempt.sql.js';
import { CONFIG, ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const SHA256 = 'ab'.repeat(32);
const NOBODY = '00000000-0000-4000-8000-000000000000';

async function claimed(
  count = 1,
  given: Parameters<ModuleDatabase['delivery']>[1] = {},
): Promise<readonly ClaimedDelivery[]> {
  const sink = await database.sink();
  for (let i = 0; i < count; i++) await database.delivery(sink, given);
  return database.claim();
}

function open(deliveries: readonly ClaimedDelivery[], leaseToken?: string): Promise<OpenedAttempt[]> {
  return openAttempts(
    databaseOf(database.manager),
    'worker-1',
    deliveries.map((delivery) => ({
      attemptId: newId('attempt'),
      deliveryId: delivery.id,
      leaseToken: leaseToken ?? delivery.leaseToken,
      url: CONFIG.url,
      authScheme: 'HmacSha256',
      configVersion: 1,
      payload: { bodyId: 'pld_1', sha256: SHA256, bytes: 3_000_000_000, rows: 12_000 },
      ...{ unstored: null, handedOver: false },
    })),
  );
}

const DELIVERED = {
  status: 'SUCCEEDED',
  errorCode: null,
  httpStatus: 200,
  timings: { dnsMs: 1, connectMs: 2, tlsMs: 3, uploadMs: 4, waitMs: 5, totalMs: 15 },
  answerExcerpt: 'ok',
  answerEnding: 'complete',
  plan: { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false },
  receiverDown: false,
  ownFailure: false,
} as const satisfies Partial<AttemptClosing>;

const RETRYING = {
  ...DELIVERED,
  status: 'HTTP_5XX',
  errorCode: 'receiver_error',
  httpStatus: 503,
  plan: { status: 'RETRYING', reason: null, waitMs: 5_000, spendsRetry: true },
} as const;

async function openOne(given: Parameters<ModuleDatabase['delivery']>[1] = {}) {
  const [delivery] = await claimed(1, given);
  if (!delivery) throw new Error('nothing was claimed');
  const [opened] = await open([delivery]);
  if (!opened) throw new Error('nothing was opened');
  return { delivery, opened, leaseToken: delivery.leaseToken };
}

describe('opening an attempt', () => {
  it('inserts its row before the request is sent, and counts it', async () => {
    const { delivery, opened } = await openOne();
    expect(opened).toMatchObject({ deliveryId: delivery.id, attemptNumber: 1 });
    expect(await database.one('sync', opened.attemptId)).toMatchObject({
      delivery_id: delivery.id,
      data_source_id: delivery.dataSourceId,
      workspace_id: 'ws_1',
      agent_id: 'agt_1',
      job_id: delivery.jobId,
      attempt_number: 1,
      trigger: 'AUTO',
      status: 'IN_FLIGHT',
      url: CONFIG.url,
      auth_scheme: 'HmacSha256',
      payload_sha256: Buffer.from(SHA256, 'hex'),
      payload_bytes: '3000000000',
      worker_id: 'worker-1',
      started_at: opened.startedAt,
      finished_at: null,
    });
    expect(await database.one('delivery', delivery.id)).toMatchObject({
      attempt_count: 1,
      payload_sha256: Buffer.from(SHA256, 'hex'),
      payload_bytes: '3000000000',
      payload_rows: '12000',
    });
  });

  it('continues the numbers of earlier attempts and redeliveries', async () => {
    const { opened } = await openOne({ attempt_count: 7, trigger: 'REDELIVERY' });
    expect(opened.attemptNumber).toBe(8);
    expect(await database.one('sync', opened.attemptId)).toMatchObject({ trigger: 'REDELIVERY', attempt_number: 8 });
  });

  it('writes nothing for a delivery whose lease was lost, and reports it', async () => {
    const deliveries = await claimed(3);
    const [lost] = deliveries;
    await database.all('UPDATE agent_data_source_delivery SET lease_token = $2 WHERE id = $1', [lost?.id, NOBODY]);
    const opened = await open(deliveries);
    expect(opened.map(({ deliveryId }) => deliveryId).sort()).toEqual(
      deliveries
        .slice(1)
        .map(({ id }) => id)
        .sort(),
    );
    expect(await database.all('SELECT FROM agent_data_source_sync')).toHaveLength(2);
    expect(await database.one('delivery', lost?.id ?? '')).toMatchObject({ attempt_count: 0 });
  });

  it('opens one attempt for a delivery that is in the batch under a lost and a valid lease', async () => {
    const [delivery] = await claimed();
    if (!delivery) throw new Error('nothing was claimed');
    const [opened, ...others] = await open([{ ...delivery, leaseToken: NOBODY }, delivery]);
    expect([opened?.attemptNumber, others]).toEqual([1, []]);
    expect(await database.all('SELECT id FROM agent_data_source_sync')).toEqual([{ id: opened?.attemptId }]);
  });

  it('writes nothing for a delivery that is settled', async () => {
    const [delivery] = await claimed();
    await database.all(`UPDATE agent_data_source_delivery SET status = 'CANCELLED'`);
    expect(await open(delivery ? [delivery] : [])).toEqual([]);
  });
});

describe('closing an attempt', () => {
  it('that succeeded settles its delivery', async () => {
    const one = await openOne({ own_failures: 3 });
    expect([...(await closeAttempts(databaseOf(database.manager), [{ ...one, ...DELIVERED }]))]).toEqual([
      one.opened.attemptId,
    ]);
    expect(await database.one('sync', one.opened.attemptId)).toMatchObject({
      status: 'SUCCEEDED',
      error_code: null,
      http_status: 200,
      dns_ms: 1,
      connect_ms: 2,
      tls_ms: 3,
      upload_ms: 4,
      wait_ms: 5,
      total_ms: 15,
      answer_excerpt: 'ok',
      answer_ending: 'complete',
      finished_at: expect.any(Date),
    });
    expect(await database.one('delivery', one.delivery.id)).toMatchObject({
      status: 'DELIVERED',
      reason: null,
      retries_spent: 0,
      own_failures: 0,
      next_attempt_at: null,
      last_attempt_status: 'SUCCEEDED',
      last_error_code: null,
      lease_token: null,
      lease_expires_at: null,
      settled_at: expect.any(Date),
    });
  });

  it('to be retried makes the delivery due after the wait, and uses a retry', async () => {
    const one = await openOne();
    await closeAttempts(databaseOf(database.manager), [{ ...one, ...RETRYING }]);
    const row = await database.one('delivery', one.delivery.id);
    expect(row).toMatchObject({
      status: 'RETRYING',
      retries_spent: 1,
      own_failures: 0,
      settled_at: null,
      lease_token: null,
    });
    const wait = (row['next_attempt_at'] as Date).getTime() - (row['updated_at'] as Date).getTime();
    expect(wait).toBe(5_000);
  });

  it('after our own failure uses no retry, and is counted separately', async () => {
    const one = await openOne({ own_failures: 1, retries_spent: 1 });
    const plan = { status: 'RETRYING', reason: null, waitMs: 30_000, spendsRetry: false } as const;
    await closeAttempts(databaseOf(database.manager), [
      { ...one, ...RETRYING, plan, receiverDown: false, ownFailure: true },
    ]);
    expect(await database.one('delivery', one.delivery.id)).toMatchObject({ retries_spent: 1, own_failures: 2 });
  });

  it('that was the last one ends the delivery FAILED with its reason', async () => {
    const one = await openOne({ retries_spent: 2 });
    const plan = { status: 'FAILED', reason: 'retries_exhausted', waitMs: null, spendsRetry: false } as const;
    await closeAttempts(databaseOf(database.manager), [{ ...one, ...RETRYING, plan }]);
    expect(await database.one('delivery', one.delivery.id)).toMatchObject({
      status: 'FAILED',
      reason: 'retries_exhausted',
      last_attempt_status: 'HTTP_5XX',
      last_error_code: 'receiver_error',
      next_attempt_at: null,
      settled_at: expect.any(Date),
    });
  });

  it('writes nothing when its lease was lost meanwhile, neither to the delivery nor to the row', async () => {
    const one = await openOne();
    await database.all('UPDATE agent_data_source_delivery SET lease_token = $2 WHERE id = $1', [
      one.delivery.id,
      NOBODY,
    ]);
    expect((await closeAttempts(databaseOf(database.manager), [{ ...one, ...DELIVERED }])).size).toBe(0);
    expect(await database.one('delivery', one.delivery.id)).toMatchObject({ status: 'IN_FLIGHT', lease_token: NOBODY });
    expect(await database.one('sync', one.opened.attemptId)).toMatchObject({ status: 'IN_FLIGHT', finished_at: null });
  });

  it('writes nothing of a late result in the batch that closes the following attempt', async () => {
    const late = await openOne();
    await database.all(`UPDATE agent_data_source_sync SET status = 'ABANDONED'`);
    await database.all(`UPDATE agent_data_source_delivery SET status = 'RETRYING', next_attempt_at = now()`);
    const [again] = await database.claim();
    if (!again) throw new Error('nothing was claimed');
    const [opened] = await open([again]);
    if (!opened) throw new Error('nothing was opened');
    const closed = await closeAttempts(databaseOf(database.manager), [
      { ...late, ...DELIVERED },
      { ...{ opened, leaseToken: again.leaseToken }, ...RETRYING },
    ]);
    expect([...closed]).toEqual([opened.attemptId]);
    expect(await database.one('sync', late.opened.attemptId)).toMatchObject({ status: 'ABANDONED', http_status: null });
    expect(await database.one('sync', opened.attemptId)).toMatchObject({ status: 'HTTP_5XX', http_status: 503 });
    expect(await database.one('delivery', again.id)).toMatchObject({ status: 'RETRYING', retries_spent: 1 });
  });

  it('writes nothing the second time', async () => {
    const one = await openOne();
    await closeAttempts(databaseOf(database.manager), [{ ...one, ...RETRYING }]);
    expect((await closeAttempts(databaseOf(database.manager), [{ ...one, ...DELIVERED }])).size).toBe(0);
    expect(await database.one('delivery', one.delivery.id)).toMatchObject({ status: 'RETRYING', retries_spent: 1 });
  });

  it('closes a batch with different outcomes in one statement', async () => {
    const deliveries = await claimed(20);
    const opened = await open(deliveries);
    const statements: string[] = [];
    const counting = watchedDatabase(databaseOf(database.manager), (text) => statements.push(text));
    const closings = opened.map((one, i): AttemptClosing => ({
      opened: one,
      leaseToken: deliveries.find(({ id }) => id === one.deliveryId)?.leaseToken ?? '',
      ...(i % 2 === 0 ? DELIVERED : RETRYING),
      answerExcerpt: `answer ${i}, "quoted", {braces}, \\ and NULL`,
    }));
    expect((await closeAttempts(counting, closings)).size).toBe(20);
    expect(statements).toHaveLength(1);
    for (const [i, { opened: one, answerExcerpt }] of closings.entries()) {
      const status = i % 2 === 0 ? 'SUCCEEDED' : 'HTTP_5XX';
      expect(await database.one('sync', one.attemptId)).toMatchObject({ status, answer_excerpt: answerExcerpt });
    }
  });
});
