import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Bull from 'bull';
import { Redis } from 'ioredis';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { hostMigrations } from '../../../src/reference-host/persistence/migrations/index.js';
import { Receiver } from '../../support/platform/receiver-process.js';
import { until } from '../../support/platform/until.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { redisServer } from '../../support/services/redis-server.js';
import { type HostChild, startHostChild } from './host-child.js';

const MINUTE = 60_000;
const [QUEUE, PREFIX] = ['data-sinks-wakeup', '{data-sinks}'];

let database: TestDatabase;
let receiver: Receiver;
let variables: Readonly<Record<string, string>>;
let token: string | null;
let agentPath: string;
let sinkId: string;

/** A Redis of its own for each test: each is refused by it in another way. */
let directory: string;
let server: Awaited<ReturnType<typeof redisServer>>;
let admin: Redis;
let host: HostChild | null = null;

beforeAll(async () => {
  [database, receiver] = await Promise.all([
    migratedPostgres([...dataSinksMigrations, ...hostMigrations]),
    Receiver.start(),
  ]);
  variables = {
    DATABASE_URL: database.url,
    DATA_DIR: tmpdir(),
    VAULT_KEYS: `test:${randomBytes(32).toString('base64')}`,
    ALLOW_PRIVATE_ENDPOINTS: '127.0.0.0/8',
  };
  // The first start makes a workspace and its token.
  host = await startHostChild(variables, { worker: false });
  token = host.token;
  const agent = (await call('POST', '/api/v1/agents', { name: 'Refused' })) as { id: string };
  agentPath = `/api/v1/agents/${agent.id}`;
  await call('POST', `${agentPath}/activate`);
  const { url } = await receiver.endpoint([{ kind: 'answer' }]);
  const config = { url, authScheme: 'HmacSha256' };
  const sink = { role: 'RESULTS_SINK', type: 'HTTPS_WEBHOOK', name: 'BI', config, format: 'JSON' };
  sinkId = ((await call('POST', `${agentPath}/data-sources`, sink)) as { id: string }).id;
  await host.stop();
  host = null;
}, 4 * MINUTE);
afterAll(async () => {
  await receiver.stop();
  await database.drop();
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'redis-refuses-'));
  server = await redisServer(directory);
  admin = new Redis(server.url);
  await admin.ping();
}, MINUTE);
afterEach(async () => {
  host?.kill();
  host = null;
  admin.disconnect();
  await server.stop();
  await rm(directory, { recursive: true });
}, MINUTE);

async function call(method: string, path: string, body?: object): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${running().url}${path}`, {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(MINUTE),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

function running(): HostChild {
  if (!host) throw new Error('no host runs');
  return host;
}

/** @returns what `DataSinksHealth.check()` says of Redis and of all */
async function health(): Promise<string> {
  const answer = await fetch(`${running().url}/healthz`, { signal: AbortSignal.timeout(MINUTE) });
  const { status, redis } = (await answer.json()) as { status: string; redis: string };
  return `${answer.status} ${status} ${redis}`;
}

/** A finished job is pushed by hand, and arrives. */
async function delivers(): Promise<void> {
  const rows = [{ partnerRowId: 'row_1', referenceHotelId: null, matchMethod: null, matchConfidence: null }];
  const { jobId } = (await call('POST', `${agentPath}/mapping-jobs`, { results: rows })) as { jobId: string };
  const push = (await call('POST', `${agentPath}/data-sources/${sinkId}/pushes`, { jobId })) as { id: string };
  await until(
    async () => ((await call('GET', `/api/v1/deliveries/${push.id}`)) as { status: string }).status === 'DELIVERED',
    'the delivery is made',
    MINUTE,
  );
}

const urlAs = (as: string): string => server.url.replace('redis://', `redis://${as}`);

/** Another process sends a wake-up, and this worker takes it. */
async function isWoken(as = ''): Promise<void> {
  const generation = async (): Promise<number> => Number(await admin.get(`${PREFIX}:${QUEUE}:generation`));
  const others = new Bull(QUEUE, urlAs(as), { prefix: PREFIX });
  try {
    const before = await generation();
    await others.add('wake', {}, { removeOnComplete: true, removeOnFail: true });
    await until(async () => (await generation()) > before, 'the worker takes the wake-up', MINUTE);
  } finally {
    await others.close();
  }
}

/** Connections that are there already are cut, as when a server is restarted with another configuration. */
async function cutOthers(): Promise<void> {
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}

interface Refusal {
  readonly name: string;
  /** User and password of the host's URL. */
  readonly as?: string;
  readonly refuse: () => Promise<unknown>;
  readonly repair: () => Promise<unknown>;
}

const set = (name: string, value: string) => admin.config('SET', name, value);
const user = (...rules: string[]) => admin.call('ACL', 'SETUSER', 'app', 'on', '>secret', ...rules);
const everything = () => user('resetkeys', '~*', '&*', '+@all');

const REFUSALS: readonly Refusal[] = [
  {
    name: 'asks for a password, and the host has none (NOAUTH)',
    refuse: () => set('requirepass', 'secret'),
    repair: () => set('requirepass', ''),
  },
  {
    name: 'has another password than the host (WRONGPASS)',
    as: ':mine@',
    refuse: () => set('requirepass', 'yours'),
    repair: () => set('requirepass', 'mine'),
  },
  {
    name: 'lets the user do nothing (NOPERM)',
    as: 'app:secret@',
    refuse: () => user('nocommands'),
    repair: everything,
  },
  {
    name: 'lets the user read and not write (NOPERM)',
    as: 'app:secret@',
    refuse: () => user('resetkeys', '~*', '+@all', '-@write', '-@scripting'),
    repair: everything,
  },
  {
    name: 'keeps the user from the queue’s keys (NOPERM)',
    as: 'app:secret@',
    refuse: () => user('+@all', 'resetkeys', '~other:*'),
    repair: everything,
  },
  {
    name: 'has no connection left (maxclients)',
    refuse: () => set('maxclients', '1'),
    repair: () => set('maxclients', '1000'),
  },
  {
    name: 'is a replica (READONLY)',
    refuse: () => admin.call('REPLICAOF', '127.0.0.1', '1'),
    repair: () => admin.call('REPLICAOF', 'NO', 'ONE'),
  },
  {
    name: 'has no memory left (OOM)',
    refuse: () => set('maxmemory', '1'),
    repair: () => set('maxmemory', '0'),
  },
];

describe('a Redis that', () => {
  it.each(REFUSALS)(
    '$name ends no process: the log says so once, deliveries are made, and it says once that it is back',
    async ({ as = '', refuse, repair }) => {
      if (as.startsWith('app')) await everything();
      if (as === ':mine@') await set('requirepass', 'mine');
      await refuse();
      host = await startHostChild({ ...variables, REDIS_URL: urlAs(as) }, { pollMs: 200 });
      for (const outage of [1, 2]) {
        await until(async () => (await health()) === '200 degraded degraded', 'the refusal is noticed', MINUTE);
        // The health also goes by the connections, which are cut before anything is refused.
        await until(() => running().logged('redis.unavailable') >= outage, 'the log says so', MINUTE);
        // Each takes more than a poll; whatever is tried again meanwhile is refused again.
        for (let i = 0; i < 3; i++) await delivers();
        expect(running().logged('redis.unavailable')).toBe(outage);
        expect(running().logged('redis.available_again')).toBe(outage - 1);

        await repair();
        await until(async () => (await health()) === '200 ok up', 'it is well again', MINUTE);
        await isWoken(as);
        await delivers();
        expect(running().logged('redis.unavailable')).toBe(outage);
        expect(running().logged('redis.available_again')).toBe(outage);
        if (outage === 2) break;
        // While it runs: for the connections that it has, and for those that it makes.
        await refuse();
        await cutOthers();
      }
      expect(await running().stop()).toMatchObject({ code: 0 });
      host = null;
    },
    6 * MINUTE,
  );

  it(
    'has no CLIENT command for the user is used like any other',
    async () => {
      await user('~*', '&*', '+@all', '-client');
      host = await startHostChild({ ...variables, REDIS_URL: urlAs('app:secret@') }, { pollMs: MINUTE });
      await until(async () => (await health()) === '200 ok up', 'it is connected', MINUTE);
      await isWoken();
      await delivers();
      expect(running().logged('redis.unavailable')).toBe(0);
      expect(await running().stop()).toMatchObject({ code: 0 });
      host = null;
    },
    3 * MINUTE,
  );

  it(
    'refuses for good does not hold up the end of a process',
    async () => {
      await set('requirepass', 'secret');
      host = await startHostChild({ ...variables, REDIS_URL: server.url }, { pollMs: 200 });
      await until(async () => (await health()) === '200 degraded degraded', 'the refusal is noticed', MINUTE);
      expect(await running().stop()).toMatchObject({ code: 0 });
      host = await startHostChild({ ...variables, REDIS_URL: 'redis://127.0.0.1:1' }, { pollMs: 200 });
      await until(async () => (await health()) === '200 degraded degraded', 'nobody listens', MINUTE);
      expect(await running().stop()).toMatchObject({ code: 0 });
      host = null;
    },
    3 * MINUTE,
  );
});
