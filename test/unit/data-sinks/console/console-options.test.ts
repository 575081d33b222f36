import { describe, expect, it } from '@jest/globals';
import { consolePath, pageSettings } from '../../../../src/data-sinks/console/console.options.js';

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

describe('what the page is told', () => {
  it.each([
    ['console', 'api/v1', 'api/v1'],
    ['/console/', '/api/v1/', 'api/v1'],
    ['tools/sinks', 'api/v1', '../api/v1'],
    ['a/b/c', 'sinks', '../../sinks'],
  ])('at %s the API at %s is found at %s', (path, apiPath, api) => {
    expect(pageSettings({ path }, apiPath).api).toBe(api);
  });

  it('offers no sample jobs and knows no session unless the host says so', () => {
    expect(pageSettings({ path: 'console' }, 'api/v1')).toMatchObject({
      session: false,
      signInUrl: null,
      sampleJobs: false,
    });
    const session = { signInUrl: '/sign-in' };
    expect(pageSettings({ path: 'console', session, sampleJobs: true }, 'api/v1')).toMatchObject({
      session: true,
      signInUrl: '/sign-in',
      sampleJobs: true,
    });
  });
});
