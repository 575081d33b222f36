import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { openCircuits, closeCircuits } from '../../../src/data-sinks/settlement/sink-circuit.sql.js';
import { ModuleDatabase } from './module-database.js';

let database: ModuleDatabase;

beforeAll(async () => {
  database = await ModuleDatabase.open();
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const RULE = { failures: 5, pauseMs: 30_000, longestMs: 100_000 };

/** For how long the sink is paused after so many failures, in seconds; 0 when it is not. */
async function pauseAfter(dataSourceId: string, failures: number): Promise<number> {
  const [paused] = await openCircuits(databaseOf(database.manager), [{ dataSourceId, failures }], RULE);
  return paused ? Math.round((paused.pausedUntil.getTime() - (await database.now())) / 1_000) : 0;
}

describe('a sink whose receiver is down', () => {
  it('is paused after pauseAfter failures in a row', async () => {
    const sink = await database.sink();
    expect(await pauseAfter(sink, 2)).toBe(0);
    expect(await pauseAfter(sink, 2)).toBe(0);
    expect(await pauseAfter(sink, 1)).toBe(30);
  });

  it('is not paused longer because of attempts that were in flight when the pause began', async () => {
    const sink = await database.sink();
    expect(await pauseAfter(sink, 16)).toBe(30);
    expect(await pauseAfter(sink, 16)).toBe(0);
    await database.advance(31_000);
    expect(await pauseAfter(sink, 1)).toBe(60);
  });

  it('is paused twice as long each time, up to the maximum', async () => {
    const sink = await database.sink();
    const lengths = [await pauseAfter(sink, 5)];
    for (let i = 0; i < 3; i++) {
      await database.advance(101_000);
      lengths.push(await pauseAfter(sink, 1));
    }
    expect(lengths).toEqual([30, 60, 100, 100]);
  });

  it('is reset after a response', async () => {
    const sink = await database.sink();
    await pauseAfter(sink, 3);
    expect(await closeCircuits(databaseOf(database.manager), [sink])).toBe(false);
    expect(await pauseAfter(sink, 4)).toBe(0);
    await pauseAfter(sink, 1);
    expect(await closeCircuits(databaseOf(database.manager), [sink])).toBe(true);
    expect(await closeCircuits(databaseOf(database.manager), [sink])).toBe(false);
    expect(await database.all('SELECT failures_in_row, paused_until FROM agent_data_source')).toEqual([
      { failures_in_row: 0, paused_until: null },
    ]);
  });
});
