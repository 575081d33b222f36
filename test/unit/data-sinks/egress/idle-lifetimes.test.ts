import { describe, expect, it } from '@jest/globals';

import { announcedIdleMs, IdleLifetimes } from '../../../../src/data-sinks/egress/idle-lifetimes.js';

const A = 'https://a.org';

describe('how long an idle connection may be reused', () => {
  it('is the configured maximum for an unknown origin', () => {
    expect(new IdleLifetimes(4_000).usableMs(A, null)).toBe(4_000);
  });

  it.each([
    [60_000, 4_000],
    [5_000, 4_000],
    [4_000, 3_000],
    [2_000, 1_000],
    [1_000, 0],
    [0, 0],
  ])('is a second less than the %i ms that were announced, and %i ms then', (announced, usable) => {
    expect(new IdleLifetimes(4_000).usableMs(A, announced)).toBe(usable);
  });

  it.each([
    ['gunicorn’s 2 seconds', 2_000, 1_000],
    ['1 second', 1_000, 500],
    ['half a second', 500, 250],
    ['less than half a second', 499, 0],
    ['nothing', 0, 0],
  ])('is half of the observed time: %s', (_name, seen, usable) => {
    const lifetimes = new IdleLifetimes(4_000);
    lifetimes.closedAfter(A, seen);
    expect(lifetimes.usableMs(A, null)).toBe(usable);
    expect(lifetimes.usableMs(A, 60_000)).toBe(usable);
    expect(lifetimes.usableMs('https://b.org', null)).toBe(4_000);
  });

  it('shrinks at once and grows gradually', () => {
    const lifetimes = new IdleLifetimes(4_000);
    lifetimes.closedAfter(A, 3_000);
    lifetimes.closedAfter(A, 1_000);
    expect(lifetimes.usableMs(A, null)).toBe(500);
    lifetimes.closedAfter(A, 3_000);
    expect(lifetimes.usableMs(A, null)).toBe(1_000);
  });

  it('is reset when a connection outlives the maximum', () => {
    const lifetimes = new IdleLifetimes(4_000);
    lifetimes.closedAfter(A, 10);
    lifetimes.outlived(A);
    expect(lifetimes.usableMs(A, null)).toBe(4_000);
  });

  it('is remembered for 10,000 origins', () => {
    const lifetimes = new IdleLifetimes(4_000);
    for (let i = 0; i < 10_000; i++) lifetimes.closedAfter(`https://${i}.org`, 0);
    lifetimes.closedAfter('https://0.org', 0);
    lifetimes.closedAfter('https://one-more.org', 0);
    expect([0, 1, 2].map((i) => lifetimes.usableMs(`https://${i}.org`, null))).toEqual([0, 4_000, 0]);
  });
});

describe('what an answer announces', () => {
  it.each([
    [[], null],
    [[['Keep-Alive', 'timeout=5']], 5_000],
    [[['keep-alive', 'timeout=5, max=100']], 5_000],
    [[['KEEP-ALIVE', 'max=100, Timeout = 7']], 7_000],
    [[['Keep-Alive', 'timeout="3"']], 3_000],
    [[['Keep-Alive', 'max=100']], null],
    [[['Keep-Alive', 'timeout=']], null],
    [[['Keep-Alive', 'timeout=-1']], null],
    [[['Keep-Alive', 'xtimeout=1']], null],
    [[['Keep-Alive', 'timeout=0']], 0],
    [
      [
        ['Keep-Alive', 'timeout=9'],
        ['Keep-Alive', 'timeout=4'],
      ],
      4_000,
    ],
    [[['X-Keep-Alive', 'timeout=1']], null],
  ] as const)('of %j is %s', (headers, announced) => {
    expect(announcedIdleMs(headers)).toBe(announced);
  });
});
