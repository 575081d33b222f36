import { DataSource } from 'typeorm';
import { dataSinksMigrations } from '../../../src/data-sinks/database/migrations.js';
import { openMigratedPglite } from '../pglite-template.js';
import { migratedPostgres } from '../postgres-template.js';

export interface VaultDatabase {
  readonly dataSource: DataSource;
  readonly close: () => Promise<void>;
}

async function openPglite(): Promise<VaultDatabase> {
  const dataSource = await openMigratedPglite(dataSinksMigrations, []);
  return { dataSource, close: () => dataSource.destroy() };
}

async function openPostgres(): Promise<VaultDatabase> {
  const database = await migratedPostgres(dataSinksMigrations);
  const dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  const close = async (): Promise<void> => {
    await dataSource.destroy();
    await database.drop();
  };
  return { dataSource, close };
}

/** Migrated databases as hosts have them, for `describe.each`. */
export const VAULT_DATABASES: readonly (readonly [name: string, open: () => Promise<VaultDatabase>])[] = [
  ['PGlite', openPglite],
  ['PostgreSQL', openPostgres],
];

/** 32 bytes that differ from key to key, as an entry of VAULT_KEYS. */
export function keyEntry(id: string, seed: number): string {
  return `${id}:${Buffer.from(Array.from({ length: 32 }, (_, i) => (seed * 37 + i) & 255)).toString('base64')}`;
}
