import { describe, expect, it } from '@jest/globals';
import { parseListenOptions, UsageError } from '../../../../src/receiver/cli/listen-options.js';

describe('the command line of data-sinks listen', () => {
  it('has defaults', () => {
    expect(parseListenOptions([], {})).toEqual({
      host: '127.0.0.1',
      port: 8787,
      secrets: [],
      authorization: null,
      toleranceSeconds: 300,
      statuses: [200],
      slowMs: 0,
      json: false,
    });
  });

  it('accepts every option', () => {
    const line =
      '--secret a --secret b --fail 503,503,200 --slow 20 --port 0 --tolerance off --json --basic u:p:q --host ::1';
    expect(parseListenOptions(line.split(' '), { DATA_SINKS_SECRET: 'c' })).toEqual({
      host: '::1',
      port: 0,
      secrets: ['a', 'b'],
      authorization: { basic: { username: 'u', password: 'p:q' } },
      toleranceSeconds: null,
      statuses: [503, 503, 200],
      slowMs: 20,
      json: true,
    });
  });

  it('reads the secret from the environment, where other users cannot see it', () => {
    expect(parseListenOptions([], { DATA_SINKS_SECRET: 'c' }).secrets).toEqual(['c']);
  });

  it.each([
    ['--fail', '99'],
    ['--fail', '503,'],
    ['--fail', '1e3'],
    ['--port', '70000'],
    ['--port', 'x'],
    ['--slow', '-1'],
    ['--tolerance', ''],
    ['--basic', 'user'],
    ['--basic', ':pass'],
    ['--basic', 'user:'],
    ['--bearer', ''],
    ['--secret', ''],
    ['--unknown', 'x'],
    ['--bearer', 'a', '--basic', 'b:c'],
    ['more'],
  ])('refuses %s %s', (...args) => {
    expect(() => parseListenOptions(args, {})).toThrow(UsageError);
  });
});
