import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { openMigratedPglite } from '../../support/pglite-template.js';

/** The embedded database has one session: two transactions that share it would commit each other's halves. */
describe('transactions on the embedded database', () => {
  let dataSource: DataSource;

  beforeAll(async () => {
    dataSource = await openMigratedPglite([], []);
    await dataSource.query('CREATE TABLE entry (name text NOT NULL)');
  });
  beforeEach(() => dataSource.query('TRUNCATE entry'));
  afterAll(() => dataSource.destroy());

  const insert = (name: string) => ['INSERT INTO entry (name) VALUES ($1)', [name]] as const;
  const names = async (): Promise<string[]> => {
    const found: { name: string }[] = await dataSource.query('SELECT name FROM entry ORDER BY name');
    return found.map(({ name }) => name);
  };

  it('a rollback in one undoes all of it and nothing of another', async () => {
    const [rolledBack, committed] = await Promise.allSettled([
      dataSource.transaction(async (manager) => {
        await manager.query(...insert('first half'));
        await manager.query('SELECT pg_sleep(0.05)');
        await manager.query(...insert('second half'));
        throw new Error('no');
      }),
      dataSource.transaction(async (manager) => {
        await manager.query(...insert('other, first half'));
        await manager.query(...insert('other, second half'));
      }),
    ]);
    expect([rolledBack.status, committed.status]).toEqual(['rejected', 'fulfilled']);
    expect(await names()).toEqual(['other, first half', 'other, second half']);
  });

  it('concurrent transactions run one after the other, none inside another', async () => {
    const seen: string[] = [];
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        dataSource.transaction(async (manager) => {
          seen.push(`begin ${i}`);
          await manager.query(...insert(`${i}`));
          await manager.query('SELECT pg_sleep(0.005)');
          seen.push(`end ${i}`);
        }),
      ),
    );
    expect(seen).toEqual(Array.from({ length: 8 }, (_, i) => [`begin ${i}`, `end ${i}`]).flat());
    expect(await names()).toHaveLength(8);
  });

  it('a statement outside waits for the open transaction, and sees all of it', async () => {
    const order: string[] = [];
    let outside: Promise<void> = Promise.resolve();
    await dataSource.transaction(async (manager) => {
      await manager.query(...insert('inside'));
      outside = names().then((found) => void order.push(`outside saw ${found.length}`));
      await manager.query(...insert('inside too'));
      order.push('committing');
    });
    await outside;
    expect(order).toEqual(['committing', 'outside saw 2']);
  });

  it('a statement that fails does not affect the next transaction', async () => {
    await expect(
      dataSource.transaction(async (manager) => {
        await manager.query(...insert('lost'));
        await manager.query('SELECT 1/0');
      }),
    ).rejects.toThrow('division by zero');
    await dataSource.transaction((manager) => manager.query(...insert('kept')));
    expect(await names()).toEqual(['kept']);
  });
});
