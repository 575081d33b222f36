import { describe, expect, it } from '@jest/globals';
import { armedFailpoint, createFailpoint, failpoint, FAILPOINTS } from '../../../../src/data-sinks/core/failpoint.js';

describe('a failpoint', () => {
  it('does nothing unless it is armed', () => {
    expect(armedFailpoint({})).toBeNull();
    expect(armedFailpoint({ DATA_SINKS_FAILPOINT: '' })).toBeNull();
    for (const name of FAILPOINTS) expect(failpoint(name)).toBeUndefined();
  });

  it.each([
    ['after-opened', 1],
    ['after-opened:1', 1],
    ['after-opened:30', 30],
  ])('is armed by %j', (text, passage) => {
    expect(armedFailpoint({ DATA_SINKS_FAILPOINT: text })).toEqual({ name: 'after-opened', passage });
  });

  it.each(['nowhere', 'after-opened:0', 'after-opened:', 'after-opened:-1', 'after-opened:1:2', 'after-opened:x'])(
    'given as %j stops the boot',
    (text) => {
      expect(() => armedFailpoint({ DATA_SINKS_FAILPOINT: text })).toThrow(
        `DATA_SINKS_FAILPOINT is "${text}"; set one of`,
      );
    },
  );

  it('is refused in production, where nobody wants a process to die on purpose', () => {
    const environment = { DATA_SINKS_FAILPOINT: 'after-opened', NODE_ENV: 'production' };
    expect(() => armedFailpoint(environment)).toThrow('refused in production');
    expect(armedFailpoint({ ...environment, DATA_SINKS_FAILPOINT_IN_PRODUCTION: 'yes' })).not.toBeNull();
    expect(armedFailpoint({ NODE_ENV: 'production' })).toBeNull();
  });

  it('lets die at its own place, at the passage that was asked for', () => {
    let deaths = 0;
    const pass = createFailpoint({ name: 'after-posted', passage: 3 }, () => deaths++);
    const seen = FAILPOINTS.map(() => (pass('after-opened'), deaths));
    expect(seen.every((count) => count === 0)).toBe(true);
    const passages = [1, 2, 3].map(() => (pass('after-posted'), deaths));
    expect(passages).toEqual([0, 0, 1]);
  });
});
