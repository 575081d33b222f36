import { beforeEach, describe, expect, it } from '@jest/globals';

import { LookupRecord } from '../../../../src/data-sinks/egress/lookup-record.js';

describe('a name that cannot be resolved', () => {
  let nowMs: number;
  let record: LookupRecord;

  beforeEach(() => {
    nowMs = 0;
    record = new LookupRecord(() => nowMs);
  });

  const at = (ms: number, step: 'resolved' | 'failed', name: string) => {
    nowMs = ms;
    return record[step](name);
  };

  it('is to blame when another one is resolved while it fails', () => {
    expect(at(0, 'failed', 'broken')).toBe(false);
    at(1, 'resolved', 'good');
    expect(at(5_000, 'failed', 'broken')).toBe(true);
    expect(at(61_000, 'failed', 'broken')).toBe(false);
    at(62_000, 'resolved', 'good');
    expect(at(63_000, 'failed', 'broken')).toBe(true);
  });

  it('is not to blame at the begin of an outage, however lately others were resolved', () => {
    at(0, 'resolved', 'good');
    at(1, 'resolved', 'another');
    for (const ms of [2, 5_000, 35_000, 59_000]) {
      expect(at(ms, 'failed', 'good')).toBe(false);
      expect(at(ms, 'failed', 'third')).toBe(false);
    }
  });

  it('is no sign of life for itself', () => {
    at(0, 'failed', 'flaky');
    at(1, 'resolved', 'flaky');
    expect(at(2, 'failed', 'flaky')).toBe(false);
    expect(at(3, 'failed', 'flaky')).toBe(false);
  });

  it('is told from others also when it was resolved last', () => {
    at(0, 'failed', 'flaky');
    at(1, 'resolved', 'good');
    at(2, 'resolved', 'flaky');
    expect(at(3, 'failed', 'flaky')).toBe(false);
    at(4, 'resolved', 'good');
    expect(at(5, 'failed', 'flaky')).toBe(true);
  });
});
