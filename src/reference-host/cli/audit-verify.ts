import 'reflect-metadata';
import type { DataSource } from 'typeorm';
import { verifyAuditChains } from '../../data-sinks/index.js';
import { parseEnvironment } from '../environment.js';
import { createDataSource } from '../persistence/create-data-source.js';

/**
 * `npm run audit:verify`: verifies the hash chain of every workspace's audit entries. Exits with 1 if one is broken,
 * and names the first bad entry.
 */
let dataSource: DataSource | null = null;
try {
  dataSource = await createDataSource(parseEnvironment(process.env)).initialize();
  const broken = await verifyAuditChains(dataSource.manager);
  for (const { workspaceId, seq, problem } of broken) {
    console.error(`${workspaceId}: the chain does not hold at entry ${seq} (${problem})`);
  }
  if (broken.length === 0) console.log('All chains of audit entries hold.');
  process.exitCode = broken.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`The audit trail was not verified: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await dataSource?.destroy();
}
