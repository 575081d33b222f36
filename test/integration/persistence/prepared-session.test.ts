import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { PreparedSession } from '../../../src/data-sinks/persistence/prepared-session.js';
import { until } from '../../support/platform/until.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';

let database: TestDatabase;
let dataSource: DataSource;
let session: PreparedSession;

beforeAll(async () => {
  database = await emptyPostgres();
  // One connection: what is prepared is prepared on it.
  dataSource = await new DataSource({ type: 'postgres', url: database.url, extra: { max: 1 } }).initialize();
  session = new PreparedSession(dataSource);
  await dataSource.query('CREATE TABLE thing (id int PRIMARY KEY, bytes bytea)');
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const prepared = async (text: string): Promise<string[]> => {
  const rows = await dataSource.query<{ name: string }[]>(
    'SELECT name FROM pg_prepared_statements WHERE statement = $1 ORDER BY prepare_time',
    [text],
  );
  return rows.map(({ name }) => name);
};

describe('a prepared session', () => {
  it('answers as TypeORM does', async () => {
    const insert = 'INSERT INTO thing SELECT * FROM unnest($1::int[], $2::bytea[]) RETURNING id';
    const parameters = [
      [1, 2],
      [Buffer.from('one'), null],
    ];
    expect(await session.query(insert, parameters)).toEqual([{ id: 1 }, { id: 2 }]);
    const statements: [string, unknown[]][] = [
      ['SELECT * FROM thing WHERE id = ANY ($1::int[]) ORDER BY id', [[1, 2]]],
      ['UPDATE thing SET bytes = $1 WHERE id = $2 RETURNING id, bytes', [Buffer.from('x'), 2]],
      ['DELETE FROM thing WHERE id = $1', [99]],
    ];
    for (const [text, values] of statements) {
      expect(await session.query(text, values)).toEqual(await dataSource.query(text, values));
    }
  });

  it('prepares a statement once, and anew when it is executed far more often', async () => {
    const text = 'SELECT id FROM thing WHERE id = $1';
    for (let i = 0; i < 3; i++) await session.query(text, [1]);
    expect(await prepared(text)).toHaveLength(1);
    for (let i = 0; i < 60; i++) await session.query(text, [1]);
    const names = await prepared(text);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(3);
  });

  it('gives a text the same name in every module that shares the connections', async () => {
    const text = 'SELECT $1::int AS shared';
    await session.query(text, [1]);
    await new PreparedSession(dataSource).query(text, [2]);
    expect(await prepared(text)).toHaveLength(1);
  });

  it('throws what the database says, and goes on', async () => {
    await expect(session.query('SELECT 1 / $1::int AS n', [0])).rejects.toMatchObject({ code: '22012' });
    expect(await session.query('SELECT 1 / $1::int AS n', [1])).toEqual([{ n: 1 }]);
  });

  it('drops the connection of a statement that is not answered in time, and goes on over another one', async () => {
    const pid = 'SELECT pg_backend_pid() AS pid';
    const [before] = await session.query<{ pid: number }[]>(pid);
    const bounded = session.within(100);
    expect(await bounded.query('SELECT $1::int AS n', [1])).toEqual([{ n: 1 }]);
    await expect(bounded.query('SELECT pg_sleep($1::int)', [60])).rejects.toThrow('timeout');
    const [after] = await session.query<{ pid: number }[]>(pid);
    expect(after?.pid).not.toBe(before?.pid);
  });
});

describe('statements that wait for a lock longer than anybody waits for them', () => {
  const WAITING = `SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'worker' AND wait_event_type = 'Lock'`;
  let worker: DataSource;
  beforeAll(async () => {
    const extra = { max: 3, application_name: 'worker' };
    worker = await new DataSource({ type: 'postgres', url: database.url, extra }).initialize();
  });
  afterAll(() => worker.destroy());

  it('wait no longer in the database either, and write nothing once they could', async () => {
    await dataSource.query('TRUNCATE thing');
    const holder = dataSource.createQueryRunner();
    // Who waits is asked anew each time, though in one transaction.
    const waiting = async () => {
      await holder.query('SELECT pg_stat_clear_snapshot()');
      return (await holder.manager.query<object[]>(WAITING)).length;
    };
    await holder.startTransaction();
    await holder.query('LOCK TABLE thing');
    const bounded = new PreparedSession(worker).within(300);
    const insert = 'INSERT INTO thing VALUES ($1, NULL)';
    const given = Array.from({ length: 12 }, (_, i) => bounded.query(insert, [i]).catch((error: unknown) => error));
    await until(async () => (await waiting()) > 0, 'they wait for the lock');
    for (const error of await Promise.all(given)) expect(error).toMatchObject({ message: 'Query read timeout' });
    await until(async () => (await waiting()) === 0, 'nobody waits for the lock any more');
    await holder.commitTransaction();
    await holder.release();
    await bounded.query('SELECT 1');
    expect(await dataSource.query('SELECT FROM thing')).toEqual([]);
  });

  it('leave others on the same connections as much time as they need', async () => {
    const session = new PreparedSession(worker);
    await session.within(100).query('SELECT 1');
    expect(await session.query('SELECT pg_sleep(0.3), 1 AS n')).toMatchObject([{ n: 1 }]);
    expect(await worker.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '0' }]);
  });
});
