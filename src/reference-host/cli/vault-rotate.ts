import 'reflect-metadata';
import type { DataSource } from 'typeorm';
import { parseEnvironment } from '../environment.js';
import { createDataSource } from '../persistence/create-data-source.js';
import { withVaultKeys } from '../vault-keys.js';
import { rotateVault } from './rotate-vault.js';

/**
 * `npm run vault:rotate`: re-encrypts all secrets with the first key of `VAULT_KEYS`. On PostgreSQL the hosts keep
 * running; the embedded database allows only one process, so stop its host first. A signal stops it after the current
 * batch. Exits with 1 unless every secret uses the first key.
 */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

let dataSource: DataSource | null = null;
try {
  const environment = await withVaultKeys(parseEnvironment(process.env));
  dataSource = await createDataSource(environment).initialize();
  const complete = await rotateVault({
    dataSource,
    vaultKeys: environment.vaultKeys ?? '',
    print: (line) => console.log(line),
    signal: stop.signal,
  });
  process.exitCode = complete ? 0 : 1;
} catch (error) {
  console.error(`The vault was not rotated: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await dataSource?.destroy();
}
