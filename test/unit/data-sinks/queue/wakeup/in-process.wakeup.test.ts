import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { InProcessWakeup } from '../../../../../src/data-sinks/queue/wakeup/in-process.wakeup.js';

let wakeup: InProcessWakeup;
let woken: number;

beforeEach(async () => {
  jest.useFakeTimers();
  woken = 0;
  wakeup = new InProcessWakeup();
  await wakeup.start(() => woken++);
});

afterEach(async () => {
  await wakeup.stop();
  jest.useRealTimers();
});

describe('a wake-up in this process', () => {
  it('fires soon after something is due, once per turn of the event loop', () => {
    for (let i = 0; i < 100; i++) wakeup.notify();
    expect(woken).toBe(0);
    jest.advanceTimersByTime(0);
    expect(woken).toBe(1);
    wakeup.notify();
    jest.advanceTimersByTime(0);
    expect(woken).toBe(2);
  });

  it('fires at the requested time, not before', () => {
    wakeup.notifyIn(5_000);
    jest.advanceTimersByTime(4_999);
    expect(woken).toBe(0);
    jest.advanceTimersByTime(1);
    expect(woken).toBe(1);
  });

  it('fires at the earliest of several times', () => {
    wakeup.notifyIn(30_000);
    wakeup.notifyIn(5_000);
    wakeup.notifyIn(10_000);
    jest.advanceTimersByTime(5_000);
    expect(woken).toBe(1);
    jest.advanceTimersByTime(100_000);
    expect(woken).toBe(1);
  });

  it('can be scheduled again after it fired', () => {
    wakeup.notifyIn(5_000);
    jest.advanceTimersByTime(5_000);
    wakeup.notifyIn(30_000);
    jest.advanceTimersByTime(30_000);
    expect(woken).toBe(2);
  });

  it('is not moved forward by a time that a timer cannot hold', () => {
    wakeup.notifyIn(2 ** 40);
    jest.advanceTimersByTime(86_400_000);
    expect(woken).toBe(0);
  });

  it('never fires after it was stopped', async () => {
    wakeup.notify();
    wakeup.notifyIn(1_000);
    await wakeup.stop();
    wakeup.notify();
    wakeup.notifyIn(1_000);
    jest.advanceTimersByTime(10_000);
    expect(woken).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does nothing without listeners', () => {
    const early = new InProcessWakeup();
    early.notify();
    early.notifyIn(1_000);
    jest.advanceTimersByTime(10_000);
    expect(jest.getTimerCount()).toBe(0);
  });
});
