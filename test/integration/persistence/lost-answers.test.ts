import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { watchedDatabase } from '../../support/fake-database.js';
import type { ClaimedDelivery } from '../../../src/data-sinks/domain/claimed-delivery.js';
import type { AttemptClosing } from '../../../src/data-sinks/domain/attempt-end.js';
import { openAttempts } from '../../../src/data-sinks/delivery/attempt-opening.sql.js';
import { closeAttempts } from '../../../src/data-sinks/delivery/attempt.sql.js';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { sweepExpiredLeases } from '../../../src/data-sinks/queue/lease.sql.js';
import type { AttemptEnd } from '../../../src/data-sinks/domain/attempt-end.js';
import { AttemptRecorder } from '../../../src/data-sinks/delivery/attempt-recorder.js';
import { CONFIG, ModuleDatabase, newId } from './module-database.js';
import { stub } from '../../support/stub.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const TIMINGS = { dnsMs: 1, connectMs: 2, tlsMs: 3, uploadMs: 4, waitMs: 5, totalMs: 15 };
const DELIVERED = {
  ...{ status: 'SUCCEEDED', errorCode: null, httpStatus: 200, timings: TIMINGS },
  ...{ answerExcerpt: 'ok', answerEnding: 'complete', receiverDown: false, ownFailure: false },
  plan: { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false },
} as const satisfies Partial<AttemptClosing>;
/** What a worker writes whose lease was lost, and the sweeper in its place. */
const LOST = {
  ...{ status: 'ABANDONED', errorCode: 'worker_lost', httpStatus: null, timings: { ...TIMINGS, totalMs: 0 } },
  ...{ answerExcerpt: null, answerEnding: null, receiverDown: false, ownFailure: true },
  plan: { status: 'RETRYING', reason: null, waitMs: 5_000, spendsRetry: false },
} as const satisfies Partial<AttemptClosing>;

type Ending = typeof DELIVERED | typeof LOST;

async function ended(ending: Ending): Promise<AttemptEnd> {
  await database.delivery(await database.sink());
  const [delivery] = await database.claim();
  if (!delivery) throw new Error('nothing was claimed');
  return endOf(delivery, ending);
}

async function endOf(delivery: ClaimedDelivery, ending: Ending): Promise<AttemptEnd> {
  const { id: deliveryId, leaseToken } = delivery;
  const payload = { bodyId: 'pld_1', sha256: 'ab'.repeat(32), bytes: 10, rows: 1 };
  const opening = { attemptId: newId('attempt'), deliveryId, leaseToken, url: CONFIG.url, configVersion: 1, payload };
  const [opened] = await openAttempts(databaseOf(database.manager), 'worker-1', [
    { ...opening, authScheme: 'Bearer', unstored: null, handedOver: false },
  ]);
  if (!opened) throw new Error('nothing was opened');
  return { delivery, closing: { opened, leaseToken, ...ending } };
}

/** A recorder whose first statement goes well or not at all, and is not answered in any case. */
function recorder(first: () => Promise<unknown> = () => Promise.resolve()) {
  const statements: string[] = [];
  const losing = watchedDatabase(databaseOf(database.manager), async (text) => {
    statements.push(text);
    if (statements.length > 1) return;
    await first();
    throw new Error('Connection terminated unexpectedly');
  });
  const told: string[] = [];
  const settled = {
    byAttempt: async (ends: readonly AttemptEnd[]) => void told.push(...ends.map(({ delivery }) => delivery.id)),
  };
  const options = { workerId: 'worker-1', leaseMs: 10_000 };
  const made = new AttemptRecorder(losing, stub(settled), stub(options));
  return { close: (end: AttemptEnd) => made.close(end), told, statements };
}

describe('an attempt whose closing got no answer', () => {
  it('though recorded is handled once by this worker', async () => {
    const end = await ended(DELIVERED);
    const { close, told } = recorder(() => closeAttempts(databaseOf(database.manager), [end.closing]));
    expect(await close(end)).toBe(true);
    expect(told).toEqual([end.delivery.id]);
  });

  it('and is not recorded is closed by the next try', async () => {
    const end = await ended(DELIVERED);
    const { close, told, statements } = recorder();
    expect(await close(end)).toBe(true);
    expect([told.length, statements.length]).toEqual([1, 2]);
  });

  it.each([DELIVERED, LOST])(
    'counts for nothing when the sweeper has abandoned it meanwhile: $status',
    async (ending) => {
      const end = await ended(ending);
      const { close, told } = recorder(async () => {
        await database.advance(60_001);
        await sweepExpiredLeases(databaseOf(database.manager), { includeGoneWorkers: false, maxAbandoned: 5 });
      });
      expect(await close(end)).toBe(false);
      expect(told).toEqual([]);
    },
  );

  it('has no effect when another worker has delivered meanwhile', async () => {
    const end = await ended(DELIVERED);
    const { close, told } = recorder(async () => {
      await database.advance(60_001);
      await sweepExpiredLeases(databaseOf(database.manager), { includeGoneWorkers: false, maxAbandoned: 5 });
      const [again] = await database.claim();
      if (!again) throw new Error('nothing was claimed');
      await closeAttempts(databaseOf(database.manager), [(await endOf(again, DELIVERED)).closing]);
    });
    expect(await close(end)).toBe(false);
    expect(told).toEqual([]);
  });
});
