import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { ThisWorker } from '../../../../src/data-sinks/queue/this-worker.js';
import { WorkerPresence } from '../../../../src/data-sinks/queue/worker-presence.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { newOutages } from '../../../support/outages.js';
import { stub } from '../../../support/stub.js';

let isAway: boolean;
let presence: WorkerPresence;

beforeEach(async () => {
  jest.useFakeTimers();
  isAway = false;
  const database = fakeDatabase(async () => {
    if (isAway) throw new Error('the database is away');
    return [];
  });
  presence = new WorkerPresence(database, newOutages(), new ThisWorker(), stub({ workerId: 'a' }));
  await presence.start();
});
afterEach(async () => {
  await presence.stop();
  jest.useRealTimers();
});

it('a worker that has just started takes nobody for gone', async () => {
  expect(presence.isSteady).toBe(false);
  await jest.advanceTimersByTimeAsync(7_000);
  expect(presence.isSteady).toBe(false);
  await jest.advanceTimersByTimeAsync(2_000);
  expect(presence.isSteady).toBe(true);
});

it('after an outage of the database it takes nobody for gone until all have had time for a heartbeat', async () => {
  await jest.advanceTimersByTimeAsync(20_000);
  isAway = true;
  await jest.advanceTimersByTimeAsync(2_000);
  expect(presence.isSteady).toBe(false);
  isAway = false;
  await jest.advanceTimersByTimeAsync(6_000);
  expect(presence.isSteady).toBe(false);
  await jest.advanceTimersByTimeAsync(6_000);
  expect(presence.isSteady).toBe(true);
});

it('a worker whose heartbeats have been missing takes nobody for gone', async () => {
  await jest.advanceTimersByTimeAsync(20_000);
  const now = performance.now.bind(performance);
  const stoodStillFor = 60_000;
  jest.spyOn(performance, 'now').mockImplementation(() => now() + stoodStillFor);
  expect(presence.isSteady).toBe(false);
  await jest.advanceTimersByTimeAsync(6_000);
  expect(presence.isSteady).toBe(false);
  await jest.advanceTimersByTimeAsync(6_000);
  expect(presence.isSteady).toBe(true);
});
