import { describe, expect, it } from '@jest/globals';
import { editDistance, EnvironmentError, parseEnvironment } from '../../../src/reference-host/environment.js';

const AWS = { AWS_ACCOUNT_ID: '111122223333', AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'hunter2' };
const KEY = Buffer.alloc(32, 7).toString('base64');

describe('the environment', () => {
  it('needs no variables: embedded database, timers, port 3000', () => {
    expect(parseEnvironment({ PATH: '/bin', HOME: '/root' })).toEqual({
      port: 3000,
      bind: null,
      metricsPort: null,
      dataDir: expect.stringMatching(/[/\\]\.data$/),
      databaseUrl: null,
      redisUrl: null,
      vaultKeys: null,
      preparedStatements: true,
      allowPrivateEndpoints: [],
      logLevel: 'log',
    });
  });

  it('accepts every variable', () => {
    expect(
      parseEnvironment({
        PORT: '0',
        BIND_ADDRESS: '127.0.0.1',
        METRICS_PORT: '9464',
        DATA_DIR: '/srv/sinks',
        DATABASE_URL: 'postgres://u:p@db:5432/sinks',
        REDIS_URL: 'rediss://cache:6380/1',
        VAULT_KEYS: `k2:${KEY}, k1:${KEY}`,
        PREPARED_STATEMENTS: 'off',
        ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8, ::1/128',
        LOG_LEVEL: 'debug',
      }),
    ).toEqual({
      port: 0,
      bind: '127.0.0.1',
      metricsPort: 9464,
      dataDir: '/srv/sinks',
      databaseUrl: 'postgres://u:p@db:5432/sinks',
      redisUrl: 'rediss://cache:6380/1',
      vaultKeys: `k2:${KEY}, k1:${KEY}`,
      preparedStatements: false,
      allowPrivateEndpoints: ['127.0.0.0/8', '::1/128'],
      logLevel: 'debug',
    });
  });

  it('offers roles with an account and its keys, and takes no keys of AWS’s that are there for something else', () => {
    const { AWS_ACCOUNT_ID: accountId, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = AWS;
    expect(parseEnvironment(AWS).aws).toEqual({ accountId, accessKeyId, secretAccessKey });
    expect(parseEnvironment({ ...AWS, AWS_SESSION_TOKEN: 'token' }).aws).toMatchObject({ sessionToken: 'token' });
    expect(parseEnvironment({ ...AWS, AWS_ACCOUNT_ID: '' }).aws).toBeUndefined();
  });

  it('treats an empty variable as absent', () => {
    expect(parseEnvironment({ PORT: '', REDIS_URL: ' ' })).toMatchObject({ port: 3000, redisUrl: null });
  });

  it.each([
    ['a port that is no number', { PORT: 'http' }, /^PORT is "http"; set a number from 0/],
    ['a port that is too high', { PORT: '65536' }, /^PORT is "65536"/],
    ['a negative port', { PORT: '-1' }, /^PORT/],
    ['a port with a fraction', { PORT: '80.5' }, /^PORT/],
    ['a name to listen on', { BIND_ADDRESS: 'localhost' }, /^BIND_ADDRESS is "localhost"; set an address such as/],
    ['a port for metrics that is none', { METRICS_PORT: 'x' }, /^METRICS_PORT is "x"; set a number/],
    ['a database that is not PostgreSQL', { DATABASE_URL: 'mysql://db/x', VAULT_KEYS: `a:${KEY}` }, /^DATABASE_URL/],
    ['a database URL that is no URL', { DATABASE_URL: 'db', VAULT_KEYS: `a:${KEY}` }, /^DATABASE_URL is not a URL/],
    ['PostgreSQL without vault keys', { DATABASE_URL: 'postgres://db/x' }, /^VAULT_KEYS is required/],
    ['a Redis URL that is none', { REDIS_URL: 'http://redis' }, /^REDIS_URL is not a URL such as redis:/],
    ['a vault key without an id', { VAULT_KEYS: KEY }, /^VAULT_KEYS entry 1/],
    ['a vault key of 16 bytes', { VAULT_KEYS: `a:${Buffer.alloc(16).toString('base64')}` }, /^VAULT_KEYS entry 1/],
    ['a second vault key that is bad', { VAULT_KEYS: `a:${KEY},b:` }, /^VAULT_KEYS entry 2/],
    ['two vault keys of one id', { VAULT_KEYS: `a:${KEY},a:${KEY}` }, /^VAULT_KEYS names the key a twice/],
    [
      'a switch that is neither on nor off',
      { PREPARED_STATEMENTS: 'no' },
      /^PREPARED_STATEMENTS is "no"; set on or off/,
    ],
    ['an address without a range', { ALLOW_PRIVATE_ENDPOINTS: '127.0.0.1' }, /^ALLOW_PRIVATE_ENDPOINTS holds/],
    ['a range that is too long', { ALLOW_PRIVATE_ENDPOINTS: '10.0.0.0/33' }, /^ALLOW_PRIVATE_ENDPOINTS holds/],
    ['a range of a name', { ALLOW_PRIVATE_ENDPOINTS: 'localhost/8' }, /^ALLOW_PRIVATE_ENDPOINTS holds "localhost/],
    ['a level that does not exist', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL is "loud"; set one of error, warn, log/],
    ['REDIS_URI', { REDIS_URI: 'redis://x' }, /^REDIS_URI is not a variable of this host; did you mean REDIS_URL/],
    ['DATABSE_URL', { DATABSE_URL: 'x' }, /did you mean DATABASE_URL/],
    ['ALLOW_PRIVATE_ENDPOINT', { ALLOW_PRIVATE_ENDPOINT: 'x' }, /did you mean ALLOW_PRIVATE_ENDPOINTS/],
    ['an account that is none', { ...AWS, AWS_ACCOUNT_ID: '123' }, /^AWS_ACCOUNT_ID is not twelve digits/],
    ['an account without keys', { AWS_ACCOUNT_ID: '111122223333' }, /^AWS_ACCOUNT_ID needs AWS_ACCESS_KEY_ID/],
    ['AWS_ACOUNT_ID', { AWS_ACOUNT_ID: '111122223333' }, /did you mean AWS_ACCOUNT_ID/],
    ['port in small letters', { port: '80' }, /did you mean PORT/],
  ])('stops the boot at %s with advice', (_, variables, problem) => {
    expect(problemsOf(variables)).toEqual([expect.stringMatching(problem)]);
  });

  it.each(['HOST', 'PWD', 'XDG_DATA_DIRS', 'REDIS_TLS_URL', 'SORT_BY'])('minds its own business with %s', (name) => {
    expect(problemsOf({ [name]: 'x' })).toEqual([]);
  });

  it('reports all problems at once, and repeats no secret', () => {
    const problems = problemsOf({ PORT: 'x', DATABASE_URL: 'http://u:hunter2@db/x', VAULT_KEYS: 'k:hunter2' });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('hunter2');
  });

  it.each([
    ['', '', 0],
    ['PORT', 'PORT', 0],
    ['PORT', 'PROT', 1],
    ['PORT', 'PORTS', 1],
    ['PORT', 'HOST', 2],
    ['', 'ABC', 3],
  ])('the edit distance of %p and %p is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});

function problemsOf(variables: Record<string, string>): readonly string[] {
  try {
    parseEnvironment(variables);
    return [];
  } catch (error) {
    if (error instanceof EnvironmentError) return error.problems;
    throw error;
  }
}
