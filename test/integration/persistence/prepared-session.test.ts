import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource, type EntityManager } from 'typeorm';
import { BatchColumns } from '../../../src/data-sinks/database/batch-columns.js';
import { Database } from '../../../src/data-sinks/database/database.js';
import { until } from '../../support/platform/until.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';

let database: TestDatabase;
let dataSource: DataSource;
let ours: Database;

const OPTIONS = { preparedStatements: true, leaseMs: 60_000 };

beforeAll(async () => {
  database = await emptyPostgres();
  // One connection: what is prepared is prepared on it.
  dataSource = await new DataSource({ type: 'postgres', url: database.url, extra: { max: 1 } }).initialize();
  ours = new Database(dataSource, OPTIONS);
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

describe('statements outside of a transaction', () => {
  it('answers with the rows, and with how many were changed', async () => {
    const insert = 'INSERT INTO thing SELECT * FROM unnest($1::int[], $2::bytea[]) RETURNING id';
    const parameters = [
      [1, 2],
      [Buffer.from('one'), null],
    ];
    expect(await ours.prepared(insert, parameters)).toEqual([{ id: 1 }, { id: 2 }]);
    const update = 'UPDATE thing SET bytes = $1 WHERE id = $2 RETURNING id, bytes';
    expect(await ours.prepared(update, [Buffer.from('x'), 2])).toEqual([{ id: 2, bytes: Buffer.from('x') }]);
    expect(await ours.execute('UPDATE thing SET bytes = NULL', [])).toBe(2);
    expect(await ours.execute('DELETE FROM thing WHERE id = $1', [99])).toBe(0);
    expect(await ours.query('SELECT * FROM thing WHERE id = ANY ($1::int[]) ORDER BY id', [[1, 2]])).toEqual([
      { id: 1, bytes: null },
      { id: 2, bytes: null },
    ]);
  });

  it('prepares a statement once, and anew when it is executed far more often', async () => {
    const text = 'SELECT id FROM thing WHERE id = $1';
    for (let i = 0; i < 3; i++) await ours.prepared(text, [1]);
    expect(await prepared(text)).toHaveLength(1);
    for (let i = 0; i < 60; i++) await ours.prepared(text, [1]);
    const names = await prepared(text);
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(3);
  });

  it('gives a text the same name in every module that shares the connections', async () => {
    const text = 'SELECT $1::int AS shared';
    await ours.prepared(text, [1]);
    await new Database(dataSource, OPTIONS).prepared(text, [2]);
    expect(await prepared(text)).toHaveLength(1);
  });

  it('throws what the database says, and goes on', async () => {
    await expect(ours.prepared('SELECT 1 / $1::int AS n', [0])).rejects.toMatchObject({ code: '22012' });
    expect(await ours.prepared('SELECT 1 / $1::int AS n', [1])).toEqual([{ n: 1 }]);
  });

  it('drops the connection of a statement that is not answered in time, and goes on over another one', async () => {
    const pid = 'SELECT pg_backend_pid() AS pid';
    const [before] = await ours.query<{ pid: number }>(pid);
    const bounded = ours.within(100);
    expect(await bounded.prepared('SELECT $1::int AS n', [1])).toEqual([{ n: 1 }]);
    await expect(bounded.prepared('SELECT pg_sleep($1::int)', [60])).rejects.toThrow('timeout');
    const [after] = await ours.query<{ pid: number }>(pid);
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
    const bounded = new Database(worker, OPTIONS).within(300);
    const insert = 'INSERT INTO thing VALUES ($1, NULL)';
    const given = Array.from({ length: 12 }, (_, i) => bounded.prepared(insert, [i]).catch((error: unknown) => error));
    await until(async () => (await waiting()) > 0, 'they wait for the lock');
    for (const error of await Promise.all(given)) expect(error).toMatchObject({ message: 'Query read timeout' });
    await until(async () => (await waiting()) === 0, 'nobody waits for the lock any more');
    await holder.commitTransaction();
    await holder.release();
    await bounded.prepared('SELECT 1');
    expect(await dataSource.query('SELECT FROM thing')).toEqual([]);
  });

  it('leave others on the same connections as much time as they need', async () => {
    const patient = new Database(worker, OPTIONS);
    await patient.within(100).query('SELECT 1');
    expect(await patient.prepared('SELECT pg_sleep(0.3), 1 AS n')).toMatchObject([{ n: 1 }]);
    expect(await worker.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '0' }]);
  });
});

describe('statements in a transaction', () => {
  const text = 'SELECT id FROM thing WHERE id = $1 ORDER BY 1';
  const fresh = () => new Database(dataSource, OPTIONS);
  const write = (transaction: Database, id: number) =>
    transaction.execute('INSERT INTO thing (id) VALUES ($1) ON CONFLICT DO NOTHING', [id]);

  it('are prepared on its connection, where the host has not switched that off', async () => {
    const database = fresh();
    for (let i = 0; i < 2; i++) await database.transaction((inside) => inside.prepared(text, [1]));
    expect(await prepared(text)).toHaveLength(1);
    const off = new Database(dataSource, { ...OPTIONS, preparedStatements: false });
    const other = `${text} DESC`;
    await off.transaction((inside) => inside.prepared(other, [1]));
    expect(await prepared(other)).toEqual([]);
  });

  it.each([
    ['is lost', 'DEALLOCATE ALL'],
    ['belongs to columns of another type', 'ALTER TABLE thing ALTER COLUMN id TYPE bigint'],
  ])('go on, with all that was written before, when a prepared statement %s', async (_, happens) => {
    const database = fresh();
    await database.prepared(text, [1]);
    const found = await database.transaction(async (inside) => {
      await write(inside, 70);
      await inside.execute(happens);
      return inside.prepared(text, [70]);
    });
    expect(found).toHaveLength(1);
    expect(await ours.query('SELECT id FROM thing WHERE id = 70')).toHaveLength(1);
    await dataSource.query('DEALLOCATE ALL');
    await dataSource.query('ALTER TABLE thing ALTER COLUMN id TYPE int');
    await dataSource.query('DELETE FROM thing WHERE id = 70');
  });

  it.each([
    ['the manager of the pool', async (use: (manager: EntityManager) => Promise<void>) => use(dataSource.manager)],
    [
      'a runner whose transaction was begun past TypeORM',
      async (use: (manager: EntityManager) => Promise<void>) => {
        const runner = dataSource.createQueryRunner();
        await runner.query('BEGIN');
        await use(runner.manager);
        await runner.query('COMMIT');
        await runner.release();
      },
    ],
  ])('are answered when the host gives %s', async (_, given) => {
    await given(async (manager) => {
      const inside = fresh().in(manager);
      for (let i = 0; i < 2; i++) expect(await inside.prepared('SELECT $1::int AS id', [1])).toEqual([{ id: 1 }]);
    });
  });

  it('leave no savepoint behind', async () => {
    let code: unknown = null;
    const released = fresh().transaction(async (inside) => {
      await inside.prepared('SELECT $1::int AS id', [2]);
      await inside.execute('RELEASE SAVEPOINT data_sinks').catch((error: { readonly code: string }) => {
        code = error.code;
        throw error;
      });
    });
    await expect(released).rejects.toThrow();
    expect(code).toBe('3B001');
  });
});

describe('a statement for a few items', () => {
  const ITEMS = new BatchColumns<number>({ id: ['int', (id) => id] });
  const plans = async (text: string): Promise<{ readonly generic: number; readonly custom: number }> => {
    const [row] = await dataSource.query<{ generic: number; custom: number }[]>(
      `SELECT sum(generic_plans)::int AS generic, sum(custom_plans)::int AS custom FROM pg_prepared_statements
        WHERE statement = $1`,
      [text],
    );
    if (!row) throw new Error('it was not prepared');
    return row;
  };

  beforeAll(async () => {
    await dataSource.query('CREATE TABLE large AS SELECT n AS id, 0 AS hits FROM generate_series(1, 20000) n');
    await dataSource.query('ALTER TABLE large ADD PRIMARY KEY (id)');
    await dataSource.query('VACUUM ANALYZE large');
  });

  it('is planned once, whereas one for any number is planned at each call', async () => {
    const update = (items: string) => `UPDATE large SET hits = hits + 1 FROM ${items} WHERE large.id = i.id`;
    const [few, many] = [update(ITEMS.few('i')), update(ITEMS.unnest('i'))];
    const database = new Database(dataSource, OPTIONS);
    // Under one name up to the 63rd execution.
    for (let i = 1; i <= 60; i++) for (const text of [few, many]) await database.prepared(text, ITEMS.valuesOf([i]));
    expect((await plans(few)).generic).toBeGreaterThan(30);
    expect((await plans(many)).generic).toBe(0);
  });
});
