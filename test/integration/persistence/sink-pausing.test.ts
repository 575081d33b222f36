import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pauseDownSinks, resumeSinks } from '../../../src/data-sinks/persistence/sink-pausing.js';
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
  const [paused] = await pauseDownSinks(database.manager, [{ dataSourceId, failures }], RULE);
  return paused ? Math.round((paused.pausedUntil.getTime() - (await database.now())) / 1_000) : 0;
}

describe('a sink whose receiver is down', () => {
  it('is paused by the last of so many failures in a row', async () => {
    const sink = await database.sink();
    expect(await pauseAfter(sink, 2)).toBe(0);
    expect(await pauseAfter(sink, 2)).toBe(0);
    expect(await pauseAfter(sink, 1)).toBe(30);
  });

  it('is paused no longer for what was under way when the pause began', async () => {
    const sink = await database.sink();
    expect(await pauseAfter(sink, 16)).toBe(30);
    expect(await pauseAfter(sink, 16)).toBe(0);
    await database.advance(31_000);
    expect(await pauseAfter(sink, 1)).toBe(60);
  });

  it('is paused twice as long each time that it is still down, up to the longest', async () => {
    const sink = await database.sink();
    const lengths = [await pauseAfter(sink, 5)];
    for (let i = 0; i < 3; i++) {
      await database.advance(101_000);
      lengths.push(await pauseAfter(sink, 1));
    }
    expect(lengths).toEqual([30, 60, 100, 100]);
  });

  it('is as good as new after an answer', async () => {
    const sink = await database.sink();
    await pauseAfter(sink, 3);
    expect(await resumeSinks(database.manager, [sink])).toBe(false);
    expect(await pauseAfter(sink, 4)).toBe(0);
    await pauseAfter(sink, 1);
    expect(await resumeSinks(database.manager, [sink])).toBe(true);
    expect(await resumeSinks(database.manager, [sink])).toBe(false);
    expect(await database.all('SELECT failures_in_row, paused_until FROM agent_data_source')).toEqual([
      { failures_in_row: 0, paused_until: null },
    ]);
  });
});
