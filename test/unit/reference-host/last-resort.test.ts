import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { LastResort } from '../../../src/reference-host/last-resort.js';

const heard = new Map<unknown, () => void>();
let said: unknown[];
let ended: unknown[];

beforeEach(() => {
  jest.useFakeTimers();
  [said, ended] = [[], []];
  heard.clear();
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void said.push(line));
  jest.spyOn(process, 'exit').mockImplementation((code) => void ended.push(code) as never);
  jest.spyOn(process, 'once').mockImplementation((signal, listener) => (heard.set(signal, listener), process));
  jest.spyOn(process, 'removeListener').mockImplementation((signal) => (heard.delete(signal), process));
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

it('a process that cannot shut down is ended shortly after the grace period, with a log line', () => {
  new LastResort(25_000).onApplicationBootstrap();
  heard.get('SIGTERM')?.();
  jest.advanceTimersByTime(34_999);
  expect([said, ended]).toEqual([[], []]);
  jest.advanceTimersByTime(1);
  expect([said, ended]).toEqual([[{ event: 'shutdown.cut_off', afterMs: 35_000 }], [1]]);
});

it('an application closed without a signal ends no process', () => {
  const resort = new LastResort(25_000);
  resort.onApplicationBootstrap();
  resort.onModuleDestroy();
  expect(heard.size).toBe(0);
});
