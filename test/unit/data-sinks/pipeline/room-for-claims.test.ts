import { describe, expect, it, jest } from '@jest/globals';
import { RoomForClaims } from '../../../../src/data-sinks/pipeline/room-for-claims.js';

function room(worthAClaim: number): { room: RoomForClaims; wake: jest.Mock } {
  const wake = jest.fn();
  return { wake, room: new RoomForClaims(worthAClaim, wake) };
}

describe('room for claims', () => {
  it('wakes nobody while no claim waits for it', () => {
    const { room: given, wake } = room(1);
    given.made();
    given.made();
    expect(wake).not.toHaveBeenCalled();
  });

  it('wakes at once when there is enough for a claim', () => {
    const { room: given, wake } = room(3);
    given.beginClaim();
    given.wait();
    given.made();
    given.made();
    expect(wake).not.toHaveBeenCalled();
    given.made();
    expect(wake).toHaveBeenCalledTimes(1);
    given.stop();
  });

  it('wakes in a moment for less', () => {
    jest.useFakeTimers();
    const { room: given, wake } = room(3);
    given.wait();
    given.made();
    jest.advanceTimersByTime(4);
    expect(wake).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledTimes(1);
    jest.useRealTimers();
  });

  it('counts what was made while the claim was under way, which may not have seen it', () => {
    const { room: given, wake } = room(1);
    given.beginClaim();
    given.made();
    given.wait();
    expect(wake).toHaveBeenCalledTimes(1);
  });

  it('forgets what was made before the claim', () => {
    const { room: given, wake } = room(1);
    given.made();
    given.beginClaim();
    given.wait();
    expect(wake).not.toHaveBeenCalled();
  });
});
