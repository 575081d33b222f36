import { DataSource } from 'typeorm';
import { dataSinksMigrations } from '../../../src/data-sinks/migrations.js';
import { SecretEntity } from '../../../src/data-sinks/vault/secret.entity.js';
import { pgliteDriver } from '../../../src/reference-host/persistence/pglite-driver.js';

/** A migrated PGlite in memory, through TypeORM, as the reference host has it. */
export async function openVaultDatabase(): Promise<DataSource> {
  const dataSource = new DataSource({
    type: 'postgres',
    driver: pgliteDriver(null),
    entities: [SecretEntity],
    migrations: dataSinksMigrations,
  });
  await dataSource.initialize();
  await dataSource.runMigrations();
  return dataSource;
}

/** 32 bytes that differ from key to key, as an entry of VAULT_KEYS. */
export function keyEntry(id: string, seed: number): string {
  return `${id}:${Buffer.from(Array.from({ length: 32 }, (_, i) => (seed * 37 + i) & 255)).toString('base64')}`;
}
