import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ClaimedDelivery } from '../../../src/data-sinks/core/claimed-delivery.js';
import { type AttemptClosing, closeAttempts, openAttempts } from '../../../src/data-sinks/persistence/attempt-log.js';
import type { Database } from '../../../src/data-sinks/persistence/database.js';
import { sweepExpiredLeases } from '../../../src/data-sinks/persistence/lease-keeping.js';
import { Transactions } from '../../../src/data-sinks/persistence/transactions.js';
import { type AttemptEnd, AttemptRecorder } from '../../../src/data-sinks/pipeline/attempt-recorder.js';
import { InMemoryAuditTrail } from '../../../src/data-sinks/testing/index.js';
import { CONFIG, ModuleDatabase, newId } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const TIMINGS = { dnsMs: 1, connectMs: 2, tlsMs: 3, uploadMs: 4, waitMs: 5, totalMs: 15 };
const DELIVERED = {
  ...{ status: 'SUCCEEDED', errorCode: null, httpStatus: 200, timings: TIMINGS },
  ...{ answerExcerpt: 'ok', answerEnding: 'complete', ownFailure: false },
  plan: { status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false },
} as const satisfies Partial<AttemptClosing>;
/** What a worker writes whose lease was lost, and the sweeper in its place. */
const LOST = {
  ...{ status: 'ABANDONED', errorCode: 'worker_lost', httpStatus: null, timings: { ...TIMINGS, totalMs: 0 } },
  ...{ answerExcerpt: null, answerEnding: null, ownFailure: true },
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
  const [opened] = await openAttempts(database.manager, 'worker-1', [{ ...opening, authScheme: 'Bearer' }]);
  if (!opened) throw new Error('nothing was opened');
  return { delivery, closing: { opened, leaseToken, ...ending } };
}

/** A recorder whose first statement goes well or not at all, and is not answered in any case. */
function recorder(first: () => Promise<unknown> = () => Promise.resolve()) {
  const statements: string[] = [];
  const query: Database['query'] = async (sql: string, parameters?: unknown[]) => {
    statements.push(sql);
    if (statements.length > 1) return database.manager.query(sql, parameters);
    await first();
    throw new Error('Connection terminated unexpectedly');
  };
  const audit = new InMemoryAuditTrail();
  const told: string[] = [];
  const settled = {
    byAttempt: async (ends: readonly AttemptEnd[]) => void told.push(...ends.map(({ delivery }) => delivery.id)),
  };
  const options = { workerId: 'worker-1', keepTryingMs: 10_000 };
  const transactions = new Transactions(database.dataSource);
  const made = new AttemptRecorder({ query }, transactions, audit, settled, options);
  return { close: (end: AttemptEnd) => made.close(end), audit, told, statements };
}

describe('an attempt whose closing is not answered', () => {
  it('though it is on record is this worker’s, and what follows is done once', async () => {
    const end = await ended(DELIVERED);
    const { close, audit, told } = recorder(() => closeAttempts(database.manager, [end.closing]));
    expect(await close(end)).toBe(true);
    expect(audit.entries).toMatchObject([{ action: 'AGENT_RESULTS_PUSHED', deliveryId: end.delivery.id }]);
    expect(told).toEqual([end.delivery.id]);
  });

  it('nor on record is closed by the next try, which asks for nothing more', async () => {
    const end = await ended(DELIVERED);
    const { close, audit, told, statements } = recorder();
    expect(await close(end)).toBe(true);
    expect([audit.entries.length, told.length, statements.length]).toEqual([1, 1, 2]);
  });

  it.each([DELIVERED, LOST])(
    'counts for nothing when the sweeper has abandoned it meanwhile: $status',
    async (ending) => {
      const end = await ended(ending);
      const { close, audit, told } = recorder(async () => {
        await database.advance(60_001);
        await sweepExpiredLeases(database.manager, 5);
      });
      expect(await close(end)).toBe(false);
      expect([audit.entries, told]).toEqual([[], []]);
    },
  );

  it('counts for nothing when another worker has delivered meanwhile', async () => {
    const end = await ended(DELIVERED);
    const { close, audit, told } = recorder(async () => {
      await database.advance(60_001);
      await sweepExpiredLeases(database.manager, 5);
      const [again] = await database.claim();
      if (!again) throw new Error('nothing was claimed');
      await closeAttempts(database.manager, [(await endOf(again, DELIVERED)).closing]);
    });
    expect(await close(end)).toBe(false);
    expect([audit.entries, told]).toEqual([[], []]);
  });
});
