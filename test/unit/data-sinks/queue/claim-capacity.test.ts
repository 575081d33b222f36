import { describe, expect, it, jest } from '@jest/globals';
import { ClaimCapacity } from '../../../../src/data-sinks/queue/claim-capacity.js';

function capacity(worthAClaim: number): { capacity: ClaimCapacity; wake: jest.Mock } {
  const wake = jest.fn();
  return { wake, capacity: new ClaimCapacity(worthAClaim, wake) };
}

describe('waiting for capacity', () => {
  it('does not wake the worker while no claim waits', () => {
    const { capacity: given, wake } = capacity(1);
    given.freed();
    given.freed();
    expect(wake).not.toHaveBeenCalled();
  });

  it('wakes the worker at once when enough attempts have ended', () => {
    const { capacity: given, wake } = capacity(3);
    given.beginClaim();
    given.wait();
    given.freed();
    given.freed();
    expect(wake).not.toHaveBeenCalled();
    given.freed();
    expect(wake).toHaveBeenCalledTimes(1);
    given.stop();
  });

  it('wakes after a short wait for less', () => {
    jest.useFakeTimers();
    const { capacity: given, wake } = capacity(3);
    given.wait();
    given.freed();
    jest.advanceTimersByTime(4);
    expect(wake).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledTimes(1);
    jest.useRealTimers();
  });

  it('counts attempts that end during a claim, which may not have seen it', () => {
    const { capacity: given, wake } = capacity(1);
    given.beginClaim();
    given.freed();
    given.wait();
    expect(wake).toHaveBeenCalledTimes(1);
  });

  it('ignores attempts that ended before the claim', () => {
    const { capacity: given, wake } = capacity(1);
    given.freed();
    given.beginClaim();
    given.wait();
    expect(wake).not.toHaveBeenCalled();
  });
});
