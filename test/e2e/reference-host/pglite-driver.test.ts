import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { EventEmitter } from 'node:events';
import { DataSource } from 'typeorm';
import { hostMigrations } from '../../../src/reference-host/persistence/migrations/index.js';
import { pgliteDriver } from '../../../src/reference-host/persistence/pglite-driver.js';
import { rows } from '../../../src/reference-host/persistence/sql.js';
import { migratedDataDirectory } from '../../support/pglite-template.js';

describe('PGlite behind a pool of one', () => {
  let directory: string;
  let database: DataSource;

  beforeEach(async () => {
    directory = await migratedDataDirectory(hostMigrations);
    database = await open();
    await rows(database, 'CREATE TABLE item (id int)');
  });
  afterEach(() => database.destroy());

  const open = (): Promise<DataSource> =>
    new DataSource({ type: 'postgres', driver: pgliteDriver(directory) }).initialize();
  const count = async (): Promise<number> => (await rows(database, 'SELECT 1 FROM item')).length;

  it('a rollback in one transaction takes nothing from another, and leaves nothing', async () => {
    let firstIsIn: () => void = () => undefined;
    const inFirst = new Promise<void>((resolve) => (firstIsIn = resolve));
    const first = database.transaction(async (transaction) => {
      await transaction.query('INSERT INTO item VALUES (1)');
      firstIsIn();
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('rolled back');
    });
    await inFirst;
    const second = database.transaction((transaction) => transaction.query('INSERT INTO item VALUES (2)'));
    await expect(first).rejects.toThrow('rolled back');
    await second;
    expect(await rows(database, 'SELECT id FROM item')).toEqual([{ id: 2 }]);
  });

  it('a statement that fails spoils nothing for the next', async () => {
    await expect(rows(database, 'SELECT nothing')).rejects.toThrow();
    expect(await count()).toBe(0);
  });

  it('a connection that is replaced leaves no transaction and no lock behind', async () => {
    const runner = database.createQueryRunner();
    const client = (await runner.connect()) as EventEmitter;
    await runner.query('SELECT pg_advisory_lock(7)');
    await runner.query('BEGIN');
    await runner.query('INSERT INTO item VALUES (1)');
    client.emit('error', new Error('the connection broke'));
    expect(await count()).toBe(0);
    expect(await rows(database, `SELECT 1 FROM pg_locks WHERE locktype = 'advisory'`)).toEqual([]);
  });

  it('what was written is there after closing and opening again', async () => {
    await rows(database, 'INSERT INTO item VALUES (1)');
    await database.destroy();
    database = await open();
    expect(await count()).toBe(1);
  });

  it('a second one on the same files is refused', async () => {
    await expect(open()).rejects.toThrow(/in use by process/);
  });
});
