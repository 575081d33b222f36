import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { Database, databaseOf } from '../../../src/data-sinks/database/database.js';
import { emptyPostgres, type TestDatabase } from '../../support/postgres-template.js';

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await emptyPostgres();
  const name = new URL(database.url).pathname.slice(1);
  dataSource = await new DataSource({ type: 'postgres', url: database.url, poolSize: 8 }).initialize();
  await dataSource.query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'repeatable read'`);
  await dataSource.destroy();
  await dataSource.initialize();
  await dataSource.query('CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL)');
});
afterEach(() => dataSource.query('TRUNCATE counter'));
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const BUMP = 'UPDATE counter SET n = n + 1 WHERE id = 1';
const countAll = () => dataSource.query<{ n: number }[]>('SELECT n FROM counter');

/** Runs work while somebody else has changed the row and is about to commit. */
async function whileChanged<T>(work: () => Promise<T>): Promise<PromiseSettledResult<T>> {
  await dataSource.query('INSERT INTO counter VALUES (1, 0)');
  const other = dataSource.createQueryRunner();
  await other.startTransaction();
  await other.query(BUMP);
  const settled = Promise.allSettled([work()]);
  for (;;) {
    const [waiting] = await dataSource.query<{ n: number }[]>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (waiting?.n === 1) break;
  }
  await other.commitTransaction();
  await other.release();
  const [result] = await settled;
  return result;
}

describe('with repeatable read as the default isolation', () => {
  it('a statement that conflicts with a concurrent change is retried, prepared or not', async () => {
    const ours = new Database(dataSource, { preparedStatements: true, leaseMs: 60_000 });
    expect(await whileChanged(() => ours.prepared(BUMP))).toMatchObject({ status: 'fulfilled' });
    expect(await countAll()).toEqual([{ n: 2 }]);
    await dataSource.query('TRUNCATE counter');
    expect(await whileChanged(() => ours.query(BUMP))).toMatchObject({ status: 'fulfilled' });
    expect(await countAll()).toEqual([{ n: 2 }]);
  });

  it('the module’s own transactions are READ COMMITTED, and wait instead of failing', async () => {
    const bump = () =>
      databaseOf(dataSource).transaction(async (transaction) => {
        // A snapshot of before the other's commit.
        await transaction.query('SELECT FROM counter');
        await transaction.query(BUMP);
      });
    expect(await whileChanged(bump)).toMatchObject({ status: 'fulfilled' });
    expect(await countAll()).toEqual([{ n: 2 }]);
  });

  it('nothing is retried in a host’s transaction: the host gets the error', async () => {
    let tries = 0;
    const bump = () =>
      dataSource.transaction(async (transaction) => {
        const ours = databaseOf(transaction);
        await ours.query('SELECT FROM counter');
        tries++;
        await ours.prepared(BUMP);
      });
    expect(await whileChanged(bump)).toMatchObject({ status: 'rejected', reason: { code: '40001' } });
    expect(tries).toBe(1);
    expect(await countAll()).toEqual([{ n: 1 }]);
  });

  it('the settings of the connections are not changed', async () => {
    await databaseOf(dataSource).transaction((transaction) => transaction.query('SELECT 1'));
    const levels = await Promise.all(
      Array.from({ length: 8 }, () => dataSource.query<object[]>('SHOW transaction_isolation')),
    );
    expect(levels).toEqual(levels.map(() => [{ transaction_isolation: 'repeatable read' }]));
  });
});
