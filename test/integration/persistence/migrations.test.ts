import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { openUnmigrated } from './unmigrated.js';

let dataSource: DataSource;

beforeAll(async () => {
  dataSource = await openUnmigrated();
});

afterAll(() => dataSource.destroy());

const objects = (): Promise<unknown> =>
  dataSource.query(
    `SELECT c.relkind::text AS kind, c.relname AS name,
            (SELECT json_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
                             ORDER BY a.attnum)
               FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND c.relkind IN ('r', 'p')) AS columns,
            pg_get_indexdef(CASE WHEN c.relkind IN ('i', 'I') THEN c.oid END) AS definition
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relname ~ '^((pk|uq|ix)_)?agent'
      ORDER BY c.relkind, c.relname`,
  );

async function undoAll(): Promise<void> {
  for (const _ of dataSinksMigrations) await dataSource.undoLastMigration();
}

describe('the module’s migrations', () => {
  it('run up, down to nothing, and up again with the same result', async () => {
    const ran = await dataSource.runMigrations();
    expect(ran).toHaveLength(dataSinksMigrations.length);
    const first = (await objects()) as unknown[];
    expect(first.length).toBeGreaterThan(20);

    await undoAll();
    expect(await objects()).toEqual([]);

    await dataSource.runMigrations();
    expect(await objects()).toEqual(first);
  });

  it('run once', async () => {
    expect(await dataSource.runMigrations()).toEqual([]);
  });

  it('create the schema that the entities describe', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('are reported as incomplete when they do not match the entities', async () => {
    await dataSource.query('ALTER TABLE agent_data_source_delivery DROP COLUMN reason');
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual(['ALTER TABLE "agent_data_source_delivery" ADD "reason" text']);
  });

  it('have names that sort in the order in which they run', () => {
    const names = dataSinksMigrations.map((migration) => new migration().name);
    expect(names).toEqual([...names].sort((a, b) => Number(a.slice(-13)) - Number(b.slice(-13))));
    for (const name of names) expect(name).toMatch(/^[A-Z][A-Za-z]+\d{13}$/);
  });
});
