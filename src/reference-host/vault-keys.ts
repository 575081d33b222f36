import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError, type HostEnvironment } from './environment.js';
import { hasCode } from './error-code.js';

/**
 * With the embedded database, a key is generated once and kept next to it, for trying things out. With a `DATABASE_URL`
 * the key must be configured.
 */
export async function withVaultKeys(environment: HostEnvironment): Promise<HostEnvironment> {
  if (environment.vaultKeys !== null) return environment;
  const path = join(environment.dataDir, 'vault-keys');
  await mkdir(environment.dataDir, { recursive: true });
  try {
    await writeFile(path, `local:${randomBytes(32).toString('base64')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const vaultKeys = (await readFile(path, 'utf8')).trim();
  if (vaultKeys === '') throw new EnvironmentError([`${path} is empty; restore it, or set VAULT_KEYS`]);
  return { ...environment, vaultKeys };
}
