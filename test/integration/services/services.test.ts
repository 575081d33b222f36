import { afterEach, describe, expect, it } from '@jest/globals';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { emptyPostgres, migratedPostgres } from '../../support/postgres-template.js';
import { postgresUrl, redisUrl } from '../../support/services/real-services.js';
import { startServices, type Services } from '../../support/services/services.js';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Whether anything listens there. */
async function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  return once(socket, 'connect')
    .then(
      () => true,
      () => false,
    )
    .finally(() => socket.destroy());
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await holds()); await delay(25)) {
    if (Date.now() > deadline) throw new Error('it did not come to pass in time');
  }
}

describe('the services for tests', () => {
  let services: Services | null = null;
  afterEach(async () => {
    await services?.stop();
    services = null;
  });

  it('are a PostgreSQL and a Redis that answer', async () => {
    expect(await query(postgresUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await listens(redisUrl())).toBe(true);
  });

  it('are those of DATABASE_URL and REDIS_URL, which these tests cannot kill', async () => {
    const given = { DATABASE_URL: postgresUrl(), REDIS_URL: redisUrl() };
    services = await startServices({}, given);
    expect(services.running.postgres).toMatchObject({ url: given.DATABASE_URL, ours: false });
    await expect(services.running.redis?.signal('SIGKILL')).rejects.toThrow('unset it');
    await services.stop();
    expect(await listens(given.REDIS_URL)).toBe(true);
  });

  it('come back on the same port with committed data, when PostgreSQL is durable and killed', async () => {
    services = await startServices({ names: ['postgres'], durable: true }, {});
    const { postgres } = services.running;
    if (!postgres) throw new Error(services.missing.postgres);
    await query(postgres.url, 'CREATE TABLE kept AS SELECT 7 AS n');
    await postgres.signal('SIGKILL');
    await postgres.start();
    expect(await query(postgres.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
  });

  it('stop when the process that started them is killed', async () => {
    const holder = fork(fileURLToPath(new URL('../../support/services/holder.js', import.meta.url)), [], {
      env: {},
      execArgv: [],
    });
    const [urls] = (await once(holder, 'message')) as [string[]];
    expect(urls).toHaveLength(2);
    expect(await Promise.all(urls.map(listens))).toEqual([true, true]);
    holder.kill('SIGKILL');
    for (const url of urls) await until(async () => !(await listens(url)));
  });

  it('give each suite its own database, migrated or empty', async () => {
    class MakesThing1764000000000 {
      name = 'MakesThing1764000000000';
      async up(runner: { query(sql: string): Promise<unknown> }): Promise<void> {
        await runner.query('CREATE TABLE thing (n int)');
      }
      async down(): Promise<void> {}
    }
    const [one, other] = await Promise.all([
      migratedPostgres([MakesThing1764000000000]),
      migratedPostgres([MakesThing1764000000000]),
    ]);
    await query(one.url, 'INSERT INTO thing VALUES (1)');
    expect(await query(other.url, 'SELECT * FROM thing')).toEqual([]);
    const empty = await emptyPostgres();
    await expect(query(empty.url, 'SELECT * FROM thing')).rejects.toThrow('does not exist');
    await Promise.all([one, other, empty].map(({ drop }) => drop()));
    await expect(query(one.url, 'SELECT 1')).rejects.toThrow('does not exist');
  });
});
