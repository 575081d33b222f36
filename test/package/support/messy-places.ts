import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { redisUrl } from '../../support/services/real-services.js';
import { pgbouncerServer } from '../../support/services/pgbouncer-server.js';
import { runDirectory } from './packed-package.js';
import { newVaultKeys, type StrangeWorld } from './strange-world.js';

/** Where a messy host has its data: a primary behind PgBouncer, a replica that lags, a Redis. */
export interface MessyPlaces {
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export async function messyPlaces(world: StrangeWorld): Promise<MessyPlaces> {
  const name = randomBytes(6).toString('hex');
  const primary = await world.database();
  const pooler = await pgbouncerServer(join(runDirectory(), `pgbouncer-${name}`), primary);
  return {
    environment: {
      PRIMARY_URL: primary,
      POOLER_URL: pooler.url,
      REPLICA_URL: await world.database(),
      TIDY_URL: await world.database(),
      REDIS_URL: redisUrl(),
      REDIS_PREFIX: `{messy-${name}}`,
      VAULT_KEYS: newVaultKeys(),
    },
    stop: () => pooler.stop(),
  };
}
