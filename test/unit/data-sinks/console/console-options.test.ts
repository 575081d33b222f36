import { describe, expect, it } from '@jest/globals';
import { VERSION_NEUTRAL, type VersioningOptions, VersioningType } from '@nestjs/common';
import {
  type ConsoleOptions,
  consoleOptions,
  consolePath,
  pageSettings,
} from '../../../../src/data-sinks/console/console.options.js';
import { ConfigurationError } from '../../../../src/data-sinks/core/errors.js';

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

describe('the host’s wish', () => {
  it('may be a path alone', () => {
    expect(consoleOptions('console')).toEqual({ path: 'console' });
  });

  it.each<[string, unknown]>([
    ['an empty path', ''],
    ['the root', '/'],
    ['true', true],
    ['null', null],
    ['an object without a path', { sampleJobs: true }],
    ['a path that is none', { path: 7 }],
  ])('stops the boot when it is %s, and says what it may be', (_what, wanted) => {
    expect(() => consoleOptions(wanted as ConsoleOptions)).toThrow(/^console must be a path such as 'console'/);
    expect(() => consoleOptions(wanted as ConsoleOptions)).toThrow(ConfigurationError);
  });

  it('stops the boot when it names what there is not', () => {
    expect(() => consoleOptions({ path: 'console', sampleJob: true } as ConsoleOptions)).toThrow(
      /nothing that is called sampleJob\. It may have: path, session, sampleJobs/,
    );
  });
});

describe('what the page is told', () => {
  it.each([
    ['console', 'api/v1', 'api/v1'],
    ['/console/', '/api/v1/', 'api/v1'],
    ['tools/sinks', 'api/v1', '../api/v1'],
    ['a/b/c', 'sinks', '../../sinks'],
    ['console', '', '.'],
    ['ui/console', '/', '../'],
  ])('at %s the API at %s is found at %s', (path, apiPath, api) => {
    expect(pageSettings({ path }, apiPath, undefined).api).toBe(api);
  });

  it.each<[string, VersioningOptions, string]>([
    ['a default version', { type: VersioningType.URI, defaultVersion: '2' }, '../v2/sinks'],
    ['several', { type: VersioningType.URI, defaultVersion: ['3', '2'] }, '../v3/sinks'],
    [
      'a prefix of its own',
      { type: VersioningType.URI, defaultVersion: '2', prefix: 'version-' },
      '../version-2/sinks',
    ],
    ['no prefix', { type: VersioningType.URI, defaultVersion: '2', prefix: false }, '../2/sinks'],
    ['none by default', { type: VersioningType.URI }, '../sinks'],
    ['a neutral one', { type: VersioningType.URI, defaultVersion: ['2', VERSION_NEUTRAL] }, '../sinks'],
    ['a header', { type: VersioningType.HEADER, header: 'X-Version', defaultVersion: '2' }, '../sinks'],
  ])('where the host versions its API by %s', (_what, versioning, api) => {
    expect(pageSettings({ path: 'ui/console' }, 'sinks', versioning).api).toBe(api);
  });

  it('offers no sample jobs and knows no session unless the host says so', () => {
    expect(pageSettings({ path: 'console' }, 'api/v1', undefined)).toMatchObject({
      session: false,
      signInUrl: null,
      sampleJobs: false,
    });
    const session = { signInUrl: '/sign-in' };
    expect(pageSettings({ path: 'console', session, sampleJobs: true }, 'api/v1', undefined)).toMatchObject({
      session: true,
      signInUrl: '/sign-in',
      sampleJobs: true,
    });
  });
});
