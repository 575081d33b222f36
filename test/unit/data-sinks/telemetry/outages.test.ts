import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { newOutages } from '../../../support/outages.js';

const REFUSED = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
const lines: string[] = [];

beforeEach(() => {
  jest.useFakeTimers();
  lines.length = 0;
  const keep = ({ event }: { event: string }): void => void lines.push(event);
  Logger.overrideLogger({ log: keep, warn: keep, error: keep });
});
afterEach(() => {
  jest.useRealTimers();
  Logger.overrideLogger(false);
});

it('of several parts that a database stops, the first tells', () => {
  const outages = newOutages();
  outages.of('worker').report(REFUSED);
  for (const part of ['api', 'audit', 'workers'] as const) outages.of(part).report(REFUSED);
  expect(lines).toEqual(['worker.unavailable']);
});

it('a database that goes away again is told again, though nobody has asked since for the part that told before', () => {
  const outages = newOutages();
  outages.of('api').report(REFUSED);
  outages.of('worker').report(REFUSED);
  expect(lines).toEqual(['api.unavailable']);
  jest.advanceTimersByTime(5_000);
  outages.of('worker').over();
  jest.advanceTimersByTime(5_000);
  outages.of('api').report(REFUSED);
  outages.of('worker').report(REFUSED);
  outages.of('workers').report(REFUSED);
  expect(lines).toEqual(['api.unavailable', 'worker.unavailable']);
});

it('an answer that was on its way when the database went away does not have it told twice', () => {
  const outages = newOutages();
  outages.of('worker').report(REFUSED);
  jest.advanceTimersByTime(500);
  outages.of('workers').over();
  outages.of('audit').report(REFUSED);
  expect(lines).toEqual(['worker.unavailable']);
});

it('the success of a part that does not need the database says nothing of it', () => {
  const outages = newOutages();
  outages.of('worker').report(REFUSED);
  jest.advanceTimersByTime(60_000);
  outages.of('redis').over();
  outages.of('audit').report(REFUSED);
  expect(lines).toEqual(['worker.unavailable']);
});
