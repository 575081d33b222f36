import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import { pgliteDriver } from '../../src/reference-host/persistence/pglite-driver.js';

export type Migrations = readonly (new () => MigrationInterface)[];

/** Another suite may be making the template at this moment; a first start of PGlite takes some 4 s. */
const TEMPLATE_LIMIT_MS = 300_000;

/**
 * A data directory of its own with all migrations applied, for a host's `DATA_DIR`. The database is made once per test
 * run and copied: half a second in the place of four. The run's end deletes it.
 */
export async function migratedDataDirectory(migrations: Migrations): Promise<string> {
  const copy = join(runDirectory(), `pglite-copy-${randomUUID()}`);
  await cp(await template(migrations), copy, { recursive: true });
  return copy;
}

/** A migrated PGlite through TypeORM, initialised. `destroy()` it. */
export async function openMigratedPglite(
  migrations: Migrations,
  entities: DataSourceOptions['entities'],
): Promise<DataSource> {
  return openPglite(await migratedDataDirectory(migrations), { entities });
}

async function openPglite(directory: string, options: Pick<DataSourceOptions, 'entities' | 'migrations'>) {
  return new DataSource({ type: 'postgres', driver: pgliteDriver(directory), ...options }).initialize();
}

/** Whoever makes the lock's directory makes the template; the others wait until it has its final name. */
async function template(migrations: Migrations): Promise<string> {
  const path = join(runDirectory(), `pglite-${migrationsKey(migrations)}`);
  const making = `${path}.making`;
  if (await exists(path)) return path;
  const isOurs = await mkdir(making).then(
    () => true,
    () => false,
  );
  if (isOurs) {
    const dataSource = await openPglite(making, { migrations: [...migrations] });
    await dataSource.runMigrations();
    await dataSource.destroy();
    await rename(making, path);
    return path;
  }
  for (const deadline = Date.now() + TEMPLATE_LIMIT_MS; Date.now() < deadline; await delay(50)) {
    if (await exists(path)) return path;
  }
  throw new Error('The migrated PGlite was not made in time: see the first suite that failed');
}

/** Tells sets of migrations apart within a run, where their text does not change. */
export function migrationsKey(migrations: Migrations): string {
  return createHash('sha256')
    .update(migrations.map(({ name }) => name).join())
    .digest('hex')
    .slice(0, 12);
}

function runDirectory(): string {
  const directory = process.env['TEST_RUN_DIR'];
  if (!directory)
    throw new Error('TEST_RUN_DIR is not set: only projects with the globalSetup have migrated databases');
  return directory;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
