import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { hostMigrations } from '../../../src/reference-host/persistence/migrations/index.js';
import { migratedDataDirectory } from '../pglite-template.js';
import { migratedPostgres } from '../postgres-template.js';
import { redisUrl } from '../services/real-services.js';

/** `embedded`: PGlite and timers, as `npm start` has them. `services`: PostgreSQL and Redis, as in production. */
export type PlatformMode = 'embedded' | 'services';

/** The mode that the run asks for; the same test files run in both. */
export function modeOfRun(): PlatformMode {
  const mode = process.env['TEST_MODE'] ?? 'embedded';
  if (mode === 'embedded' || mode === 'services') return mode;
  throw new Error(`TEST_MODE is ${mode}; set it to embedded or services`);
}

/** Where a host of a suite keeps its data: the part of its environment that depends on the mode. */
export interface PlatformDatabase {
  readonly dataDir: string;
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly vaultKeys: string;
  readonly remove: () => Promise<void>;
}

/** A migrated database of its own, copied from one that is made once per run. */
export async function platformDatabase(mode: PlatformMode): Promise<PlatformDatabase> {
  const vaultKeys = `test:${randomBytes(32).toString('base64')}`;
  const migrations = [...dataSinksMigrations, ...hostMigrations];
  if (mode === 'embedded') {
    const dataDir = await migratedDataDirectory(migrations);
    return { dataDir, databaseUrl: null, redisUrl: null, vaultKeys, remove: () => rm(dataDir, { recursive: true }) };
  }
  const [database, dataDir] = await Promise.all([
    migratedPostgres(migrations),
    mkdtemp(join(tmpdir(), 'data-sinks-platform-')),
  ]);
  const remove = async (): Promise<void> => {
    await database.drop();
    await rm(dataDir, { recursive: true });
  };
  return { dataDir, databaseUrl: database.url, redisUrl: ownRedisDatabase(), vaultKeys, remove };
}

/** Suites that run at the same time have a database each; wake-ups of the suite before mean nothing to the next. */
function ownRedisDatabase(): string {
  const url = new URL(redisUrl());
  url.pathname = `/${process.env['JEST_WORKER_ID'] ?? '1'}`;
  return url.href;
}
