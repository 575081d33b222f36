import { describe, expect, it } from '@jest/globals';

import { armedFailpoint, createFailpoint, FAILPOINTS } from '../../../../src/data-sinks/tools/failpoint.js';

describe('the armed failpoint', () => {
  it('is none unless the environment variable is set', () => {
    expect(armedFailpoint({})).toBeNull();
    expect(armedFailpoint({ DATA_SINKS_FAILPOINT: '' })).toBeNull();
  });

  it.each(FAILPOINTS)('is %s at its first passage, or at a later one', (name) => {
    expect(armedFailpoint({ DATA_SINKS_FAILPOINT: name })).toEqual({ name, passage: 1 });
    expect(armedFailpoint({ DATA_SINKS_FAILPOINT: `${name}:12` })).toEqual({ name, passage: 12 });
  });

  it.each(['after-lunch', 'after-opened:0', 'after-opened:x', 'after-opened:1:2', ':1'])('cannot be %s', (text) => {
    expect(() => armedFailpoint({ DATA_SINKS_FAILPOINT: text })).toThrow('set one of after-heard, ');
  });

  it('is refused in production unless explicitly allowed', () => {
    const environment = { DATA_SINKS_FAILPOINT: 'after-opened', NODE_ENV: 'production' };
    expect(() => armedFailpoint(environment)).toThrow('refused in production');
    expect(armedFailpoint({ ...environment, DATA_SINKS_FAILPOINT_IN_PRODUCTION: 'yes' })).not.toBeNull();
  });
});

describe('a failpoint', () => {
  it('kills the process at its place and passage only', () => {
    const deaths: number[] = [];
    const failpoint = createFailpoint({ name: 'after-opened', passage: 3 }, () => deaths.push(passages));
    let passages = 0;
    for (passages = 1; passages <= 5; passages++) {
      failpoint('after-posted');
      failpoint('after-opened');
    }
    expect(deaths).toEqual([3]);
  });

  it('does nothing when it is not armed', () => {
    const failpoint = createFailpoint(null, () => {
      throw new Error('nobody is to die');
    });
    for (let i = 0; i < 1_000; i++) expect(failpoint('after-opened')).toBeUndefined();
  });
});
