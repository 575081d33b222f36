import { beforeEach, describe, expect, it } from '@jest/globals';

import { EarlyAnswerWaits } from '../../../../src/data-sinks/egress/early-answer-waits.js';

describe('the wait for an early response', () => {
  let waits: EarlyAnswerWaits;

  beforeEach(() => {
    waits = new EarlyAnswerWaits(null);
  });

  it.each([
    [null, 250],
    [2, 250],
    [100, 300],
  ])('after %s ms of connecting is %d ms', (connectMs, expected) => {
    expect(waits.before('https://a.org/', connectMs)).toBe(expected);
  });

  it('is the configured value, whatever the connect time', () => {
    expect(new EarlyAnswerWaits(7).before('https://a.org/', 100)).toBe(7);
  });

  it('is skipped for an endpoint that accepted the last body, and only there', () => {
    waits.after('https://a.org/x', true);
    expect(waits.before('https://a.org/x', 100)).toBe(0);
    expect(waits.before('https://a.org/y', 100)).toBe(300);
    waits.after('https://a.org/x', false);
    expect(waits.before('https://a.org/x', 100)).toBe(300);
  });

  it('applies again to the least recently used endpoint when too many are remembered', () => {
    for (let i = 0; i < 10_000; i++) waits.after(`https://a.org/${i}`, true);
    waits.after('https://a.org/0', true);
    waits.after('https://a.org/new', true);
    expect(['0', '1', '2', 'new'].map((name) => waits.before(`https://a.org/${name}`, null))).toEqual([0, 250, 0, 0]);
  });
});
