import { describe, expect, it } from '@jest/globals';
import { ServerClock } from '../../../../src/data-sinks/database/server-clock.js';

const HOUR = 3_600_000;

describe('the server’s clock', () => {
  it('is the process’s clock until the database time is known', () => {
    let monotonic = 100;
    const clock = new ServerClock(
      () => 1_000_000,
      () => monotonic,
    );
    monotonic += 250;
    expect(clock.now()).toBe(1_000_250);
  });

  it('follows the database’s clock from then on', () => {
    let monotonic = 100;
    const wall = Date.UTC(2026, 0, 1);
    const clock = new ServerClock(
      () => wall,
      () => monotonic,
    );
    monotonic += 5_000;
    clock.set(new Date(wall + HOUR));
    expect(clock.now()).toBe(wall + HOUR);
    monotonic += 1_500;
    expect(clock.now()).toBe(wall + HOUR + 1_500);
  });

  it('does not jump when the machine’s clock is changed', () => {
    let wall = 1_000_000;
    const clock = new ServerClock(
      () => wall,
      () => 0,
    );
    wall += HOUR;
    expect(clock.now()).toBe(1_000_000);
  });
});
