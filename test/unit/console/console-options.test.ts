import { describe, expect, it } from '@jest/globals';
import {
  type ConsoleOptions,
  consoleOptions,
  consolePath,
  pageSettings,
} from '../../../src/console/console.options.js';
import { ConfigurationError } from '../../../src/data-sinks/domain/errors.js';

describe('the console’s path', () => {
  it.each([
    ['console', 'console'],
    ['/console', 'console'],
    ['/console/', 'console'],
    ['tools/sinks', 'tools/sinks'],
  ])('%s is mounted at %s', (given, path) => {
    expect(consolePath({ path: given })).toBe(path);
  });
});

describe('the option console', () => {
  it('may be only a path', () => {
    expect(consoleOptions('console')).toEqual({ path: 'console' });
  });

  it.each<[string, unknown]>([
    ['an empty path', ''],
    ['the root', '/'],
    ['true', true],
    ['null', null],
    ['an object without a path', { sampleJobs: true }],
    ['a path that is none', { path: 7 }],
  ])('stops the boot when it is %s, with advice', (_what, wanted) => {
    expect(() => consoleOptions(wanted as ConsoleOptions)).toThrow(/^console must be a path such as 'console'/);
    expect(() => consoleOptions(wanted as ConsoleOptions)).toThrow(ConfigurationError);
  });

  it('stops the boot if it has an unknown name', () => {
    expect(() => consoleOptions({ path: 'console', sampleJob: true } as ConsoleOptions)).toThrow(
      /no option called sampleJob\. It may have: path, session, sampleJobs/,
    );
  });
});

describe('the settings in the page', () => {
  it.each([
    ['/console', '/api/v1', 'api/v1'],
    ['/ops/console', '/ops/api/v1', 'api/v1'],
    ['/tools/sinks', '/api/v1', '../api/v1'],
    ['/a/b/c', '/sinks', '../../sinks'],
    ['/console', '/backend/v2/sinks', 'backend/v2/sinks'],
    ['/ops/console', '/api/v1', '../api/v1'],
    ['/console', '', '.'],
    ['/ui/console', '', '..'],
  ])('at %s the API at %s is found at %s', (page, api, relative) => {
    expect(pageSettings({ path: 'console' }, { page, api }, []).api).toBe(relative);
  });

  it('have no sample jobs and no session by default', () => {
    const addresses = { page: '/console', api: '/api/v1' };
    expect(pageSettings({ path: 'console' }, addresses, ['HTTPS_WEBHOOK'])).toMatchObject({
      session: false,
      signInUrl: null,
      sampleJobs: false,
      types: ['HTTPS_WEBHOOK'],
    });
    const session = { signInUrl: '/sign-in' };
    expect(pageSettings({ path: 'console', session, sampleJobs: true }, addresses, [])).toMatchObject({
      session: true,
      signInUrl: '/sign-in',
      sampleJobs: true,
    });
  });
});
