import { describe, expect, it } from '@jest/globals';
import { isHostId, newId } from '../../../src/reference-host/ids.js';

describe('the platform’s ids', () => {
  it('are a prefix and a ULID', () => {
    const random = Uint8Array.from({ length: 16 }, (_, i) => i);
    expect(newId('job', 1_469_918_176_385, random)).toBe('job_01ARYZ6S410123456789ABCDEF');
    expect(isHostId('job', newId('job'))).toBe(true);
  });

  it('sort by the time they were made', () => {
    expect(newId('agt', 1_000) < newId('agt', 1_001)).toBe(true);
  });

  it.each([
    'job_',
    'agt_01KSE12M000123456789ABCDEF',
    'job_01kse12m000123456789abcdef',
    'job_81KSE12M000123456789ABCDEF',
  ])('are not of the form %s', (text) => {
    expect(isHostId('job', text)).toBe(false);
  });
});
