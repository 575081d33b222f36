import { expect, it } from '@jest/globals';
import type { DataSink } from '../../../../src/data-sinks/domain/data-sink.js';
import { changedMeanwhile, retryLostRace } from '../../../../src/data-sinks/sinks/sink-conflicts.js';

const version = (configVersion: number): DataSink => ({ configVersion, deletedAt: null }) as DataSink;

it('a change that lost a race is applied to the sink as it is now, three times at most, and is then a conflict', async () => {
  const seen: number[] = [];
  const losing = (times: number) => async (sink: DataSink) => {
    seen.push(sink.configVersion);
    if (seen.length <= times) throw changedMeanwhile();
    return 'changed';
  };
  let current = 1;
  const find = async () => version(++current);
  expect(await retryLostRace(version(1), find, losing(2))).toBe('changed');
  expect(seen).toEqual([1, 2, 3]);
  seen.length = 0;
  await expect(retryLostRace(version(1), find, losing(9))).rejects.toMatchObject({
    code: 'changed-meanwhile',
    status: 409,
  });
  expect(seen).toHaveLength(3);
});

it('a change that lost to a deletion finds no sink, and anything else that fails is not tried again', async () => {
  const gone = async () => ({ ...version(2), deletedAt: new Date() });
  const lose = () => Promise.reject(changedMeanwhile());
  await expect(retryLostRace(version(1), gone, lose)).rejects.toMatchObject({ code: 'not-found' });
  let tries = 0;
  await expect(retryLostRace(version(1), gone, async () => Promise.reject(new Error(`${++tries}`)))).rejects.toThrow(
    '1',
  );
});
