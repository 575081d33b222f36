import { describe, expect, it } from '@jest/globals';
import { ServerClock } from '../../../../src/data-sinks/pipeline/server-clock.js';

const HOUR = 3_600_000;

describe('the server’s clock', () => {
  it('is this process’s own until the database has said the time', () => {
    let monotonic = 100;
    const clock = new ServerClock(
      () => 1_000_000,
      () => monotonic,
    );
    monotonic += 250;
    expect(clock.now()).toBe(1_000_250);
  });

  it('is the database’s from then on, and goes on by itself', () => {
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

  it('does not step when somebody sets this machine’s clock', () => {
    let wall = 1_000_000;
    const clock = new ServerClock(
      () => wall,
      () => 0,
    );
    wall += HOUR;
    expect(clock.now()).toBe(1_000_000);
  });
});
