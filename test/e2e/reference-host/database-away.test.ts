import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { hostMigrations } from '../../../src/reference-host/persistence/migrations/index.js';
import { until } from '../../support/platform/until.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { type HostChild, startHostChild } from './host-child.js';

const PROXY = fileURLToPath(new URL('../../chaos/processes/proxy.mjs', import.meta.url));
const MINUTE = 60_000;

let database: TestDatabase;
let network: ChildProcess;
let host: HostChild;

beforeAll(async () => {
  database = await migratedPostgres([...dataSinksMigrations, ...hostMigrations]);
  const url = new URL(database.url);
  network = fork(PROXY, [JSON.stringify({ host: url.hostname, port: Number(url.port) })], { execArgv: [] });
  const [{ port }] = (await once(network, 'message')) as [{ port: number }];
  url.port = String(port);
  const variables = {
    DATABASE_URL: url.href,
    DATA_DIR: tmpdir(),
    VAULT_KEYS: `test:${randomBytes(32).toString('base64')}`,
  };
  host = await startHostChild(variables, { shutdownGraceMs: 1_500 });
}, 2 * MINUTE);
afterAll(async () => {
  host.kill();
  network.kill('SIGKILL');
  await database.drop();
});

async function turnNetwork(state: 'open' | 'frozen' | 'cut'): Promise<void> {
  network.send(state);
  await once(network, 'message');
}

/** Fails when there is no answer in half a minute. */
async function ask(path: string): Promise<Response> {
  const headers = { authorization: `Bearer ${host.token}` };
  return fetch(`${host.url}${path}`, { headers, signal: AbortSignal.timeout(MINUTE / 2) });
}

async function comesBack(): Promise<void> {
  await turnNetwork('open');
  await until(async () => (await ask('/healthz')).ok, 'the host is healthy again', MINUTE);
  expect((await ask('/api/v1/agents')).status).toBe(200);
}

/** Whichever part notices first tells of the database; what a port of the host's says of its own is another fault. */
const BEGINS = /"event":"[a-z_.]+(unavailable|not_prepared|not_opened)".*"kind":"database"/;
const ENDS = /"event":"[a-z_.]+_again".*"kind":"database"/;
const AWAY = { type: 'https://mapping.travel/errors/temporarily-unavailable', status: 503 };

it(
  'while PostgreSQL is silent, every endpoint answers',
  async () => {
    expect((await ask('/healthz')).status).toBe(200);
    await turnNetwork('frozen');
    const [health, metrics, agents, deliveries] = await Promise.all(
      ['/healthz', '/metrics', '/api/v1/agents', '/api/v1/deliveries/dlv_01J00000000000000000000000'].map(ask),
    );
    expect(await health?.json()).toMatchObject(AWAY);
    expect(metrics?.status).toBe(200);
    expect(await metrics?.text()).toContain('data_sinks_deliveries');
    for (const answer of [agents, deliveries]) {
      expect(await answer?.json()).toMatchObject(AWAY);
      expect(answer?.headers.get('retry-after')).toBe('5');
    }
    await comesBack();
  },
  3 * MINUTE,
);

it(
  'while PostgreSQL refuses connections, requests are told to come again, and the log is told once',
  async () => {
    const told = () => host.lines().filter((line) => BEGINS.test(line)).length;
    const over = () => host.lines().filter((line) => ENDS.test(line)).length;
    await until(() => told() === over(), 'it is quiet', MINUTE);
    const before = told();
    await turnNetwork('cut');
    for (let asked = 0; asked < 20; asked++) {
      const answer = await ask('/api/v1/agents');
      expect(answer.headers.get('retry-after')).toBe('5');
      expect(await answer.json()).toMatchObject(AWAY);
    }
    expect((await ask('/api/v1/deliveries/dlv_01J00000000000000000000000')).status).toBe(503);
    // Whichever part noticed it first.
    expect(told() - before).toBe(1);
    expect(host.logged('request.failed')).toBe(0);
    await comesBack();
  },
  3 * MINUTE,
);

it(
  'while PostgreSQL is silent, a host that is told to stop ends all the same, and says so where it was cut off',
  async () => {
    await turnNetwork('frozen');
    // Leaves a statement without an answer.
    expect((await ask('/healthz')).status).toBe(503);
    const { code } = await host.stop();
    expect(host.logged('shutdown.cut_off')).toBe(code);
  },
  5 * MINUTE,
);
