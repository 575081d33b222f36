import { beforeEach, describe, expect, it } from '@jest/globals';

import { LookupRecord } from '../../../../src/data-sinks/egress/lookup-record.js';

describe('a name that does not resolve', () => {
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

  it('is at fault when another name resolves while it fails', () => {
    expect(at(0, 'failed', 'broken')).toBe(false);
    at(1, 'resolved', 'good');
    expect(at(5_000, 'failed', 'broken')).toBe(true);
    expect(at(61_000, 'failed', 'broken')).toBe(false);
    at(62_000, 'resolved', 'good');
    expect(at(63_000, 'failed', 'broken')).toBe(true);
  });

  it('is not at fault at the start of an outage, however recently others resolved', () => {
    at(0, 'resolved', 'good');
    at(1, 'resolved', 'another');
    for (const ms of [2, 5_000, 35_000, 59_000]) {
      expect(at(ms, 'failed', 'good')).toBe(false);
      expect(at(ms, 'failed', 'third')).toBe(false);
    }
  });

  it('does not prove that the resolver works', () => {
    at(0, 'failed', 'flaky');
    at(1, 'resolved', 'flaky');
    expect(at(2, 'failed', 'flaky')).toBe(false);
    expect(at(3, 'failed', 'flaky')).toBe(false);
  });

  it('is distinguished from others even if it resolved last', () => {
    at(0, 'failed', 'flaky');
    at(1, 'resolved', 'good');
    at(2, 'resolved', 'flaky');
    expect(at(3, 'failed', 'flaky')).toBe(false);
    at(4, 'resolved', 'good');
    expect(at(5, 'failed', 'flaky')).toBe(true);
  });
});
