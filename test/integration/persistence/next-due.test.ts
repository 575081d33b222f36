import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { nextDueInMs, oldestDueAgeMs } from '../../../src/data-sinks/queue/next-due.sql.js';
import { ModuleDatabase } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

describe('the next due time', () => {
  it('is null when nothing waits', async () => {
    const sink = await database.sink();
    await database.delivery(sink, { status: 'DELIVERED', dueInMs: null });
    expect(await nextDueInMs(databaseOf(database.manager))).toBeNull();
  });

  it('is in milliseconds, 0 for now', async () => {
    const sink = await database.sink();
    await database.delivery(sink, { dueInMs: 60_000 });
    await database.delivery(sink, { dueInMs: 30_000, status: 'RETRYING' });
    const ms = await nextDueInMs(databaseOf(database.manager));
    expect(ms).toBeGreaterThan(20_000);
    expect(ms).toBeLessThanOrEqual(30_000);
    await database.advance(30_001);
    expect(await nextDueInMs(databaseOf(database.manager))).toBe(0);
  });
});

describe('a delivery of a disabled sink', () => {
  it('is not considered: that of another sink is', async () => {
    const [closed, open] = [
      await database.sink({ status: 'DISABLED', disabled_reason: 'REPEATED_5XX', disabled_at: new Date() }),
      await database.sink(),
    ];
    await database.delivery(closed, { dueInMs: -60_000 });
    expect(await nextDueInMs(databaseOf(database.manager))).toBeNull();
    expect(await oldestDueAgeMs(databaseOf(database.manager))).toBe(0);
    await database.delivery(open, { dueInMs: 5_000, status: 'RETRYING' });
    const dueInMs = await nextDueInMs(databaseOf(database.manager));
    expect(dueInMs).toBeGreaterThan(3_000);
    expect(dueInMs).toBeLessThanOrEqual(5_000);
  });
});

describe('a delivery of a paused sink', () => {
  it('is due when the pause ends, except a retry, which keeps its time', async () => {
    const paused = await database.sink({ failures_in_row: 5, paused_until: new Date((await database.now()) + 60_000) });
    await database.delivery(paused, { dueInMs: -10_000 });
    expect(await nextDueInMs(databaseOf(database.manager))).toBeGreaterThan(50_000);
    expect(await oldestDueAgeMs(databaseOf(database.manager))).toBe(0);
    await database.delivery(paused, { dueInMs: 20_000, status: 'RETRYING' });
    const ms = await nextDueInMs(databaseOf(database.manager));
    expect(ms).toBeGreaterThan(10_000);
    expect(ms).toBeLessThanOrEqual(20_000);
    await database.advance(61_000);
    expect(await nextDueInMs(databaseOf(database.manager))).toBe(0);
  });

  it('is not considered if it is a last part that waits for the others', async () => {
    const paused = await database.sink({ failures_in_row: 5, paused_until: new Date((await database.now()) - 60_000) });
    const closed = await database.sink({
      status: 'DISABLED',
      disabled_reason: 'REPEATED_5XX',
      disabled_at: new Date(),
    });
    await database.delivery(closed, { dueInMs: -90_000 });
    await database.delivery(paused, { dueInMs: null, part: 2, part_count: 2 });
    expect(await nextDueInMs(databaseOf(database.manager))).toBeNull();
    expect(await oldestDueAgeMs(databaseOf(database.manager))).toBe(0);
  });
});
