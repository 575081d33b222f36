import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { parseKeyRing } from '../../data-sinks/index.js';
import { reencryptSecrets, type ReencryptReport } from '../../data-sinks/index.js';

export interface VaultRotation {
  /** Open. */
  readonly dataSource: DataSource;
  /** `VAULT_KEYS`, the new key first. */
  readonly vaultKeys: string;
  readonly print: (line: string) => void;
  /** Stops the rotation after the current batch. */
  readonly signal: AbortSignal;
}

/**
 * Re-encrypts all secrets with the first vault key and lists the keys that are no longer needed.
 * @returns whether every secret uses the first key now
 */
export async function rotateVault({ dataSource, vaultKeys, print, signal }: VaultRotation): Promise<boolean> {
  const keys = parseKeyRing(vaultKeys);
  const report = await reencryptSecrets(dataSource.manager, keys, randomBytes, {
    onProgress: ({ reencrypted }) => print(`${reencrypted} re-encrypted so far`),
    signal,
  });
  const strayKeys = [...report.secretsByKey.keys()].filter((id) => id !== keys.first.id);
  summarise(report, keys.first.id).forEach(print);
  const unused = keys.ids.filter((id) => id !== keys.first.id && !strayKeys.includes(id));
  if (unused.length > 0) print(`no secret needs these keys any more: ${unused.join(', ')}`);
  return strayKeys.length === 0 && !report.interrupted;
}

function summarise(report: ReencryptReport, firstKeyId: string): readonly string[] {
  const { reencrypted, changedMeanwhile, unreadable, interrupted, secretsByKey } = report;
  return [
    `${reencrypted} re-encrypted under ${firstKeyId}`,
    ...(changedMeanwhile > 0 ? [`${changedMeanwhile} left as somebody else changed them meanwhile`] : []),
    ...(unreadable > 0
      ? [`${unreadable} left as they cannot be read: tampered with, or their key is not configured`]
      : []),
    ...(interrupted ? ['interrupted: run it again to go on'] : []),
    ...[...secretsByKey].map(([keyId, count]) => `${count} under ${keyId} now`),
  ];
}
