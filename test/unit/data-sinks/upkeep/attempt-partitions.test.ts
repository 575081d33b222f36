import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { AttemptPartitions } from '../../../../src/data-sinks/upkeep/attempt-partitions.js';
import { fakeDatabase } from '../../../support/fake-database.js';

let logged: unknown[];
beforeEach(() => {
  logged = [];
  jest.spyOn(Logger.prototype, 'log').mockImplementation(({ event }: { event: string }) => void logged.push(event));
});
afterEach(() => void jest.restoreAllMocks());

it('a month that cannot be made fails the step, and the others are made', async () => {
  const made: string[] = [];
  const transaction = fakeDatabase((sql) => {
    const [, name] = /^CREATE TABLE (\w+)/.exec(sql) ?? [];
    if (name === 'm1') throw new Error('canceling statement due to lock timeout');
    if (name) made.push(name);
    return /missing/.test(sql) ? [{ missing: true }] : [];
  });
  const database = fakeDatabase(() => ['m1', 'm2'].map((name) => ({ name, from: 'a', to: 'b' })), {
    transaction: (work) => work(transaction),
  });
  await expect(new AttemptPartitions(database).create()).rejects.toThrow('m1');
  expect(made).toEqual(['m2']);
  expect(logged).toEqual(['partitions.created']);
});
