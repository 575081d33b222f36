// The module in a process of its own, with ports in memory whose rows are made up as they are read: what is measured is
// the module, not a host's tables. Told what to do by messages.
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { TypeOrmModule } from '@nestjs/typeorm';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { bullWakeup } from '../../dist/src/data-sinks/bull.js';
import {
  AgentDirectory,
  DataSinks,
  DataSinksModule,
  dataSinksEntities,
  dataSinksMigrations,
  MappingResults,
  WorkspaceAccess,
  WorkspacePlans,
} from '../../dist/src/data-sinks/index.js';
import { claimDeliveries } from '../../dist/src/data-sinks/persistence/claim-deliveries.js';
import { DatabaseSecretVault } from '../../dist/src/data-sinks/vault/database-secret-vault.js';
import { parseKeyRing } from '../../dist/src/data-sinks/vault/key-ring.js';
import { pgliteDriver } from '../../dist/src/reference-host/persistence/pglite-driver.js';

const settings = JSON.parse(process.env.BENCH_PLATFORM ?? '{}');
const WORKSPACE = 'ws_bench';
const RULES = { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 2 } };
/** Rows of a job, by its id: `job_<rows>_<n>`. A row of the contract's example is some 125 bytes. */
const rowsOf = (jobId) => Number(jobId.split('_')[1]);
const BATCH = 1_000;

class Agents extends AgentDirectory {
  async findAgents(ids) {
    return ids.map((id) => ({ id, workspaceId: WORKSPACE, active: true, ruleSet: RULES }));
  }
}
class Plans extends WorkspacePlans {
  async findPlans(ids) {
    return new Map(ids.map((id) => [id, 'ENTERPRISE']));
  }
}
class Results extends MappingResults {
  async findCompletedJob() {
    return null;
  }
  async streamRows({ jobId }) {
    return rows(jobId);
  }
}
class Access extends WorkspaceAccess {
  async authenticate() {
    return null;
  }
}

async function* rows(jobId) {
  const count = rowsOf(jobId);
  const salt = jobId.slice(-8);
  for (let from = 0; from < count; from += BATCH) {
    yield Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => ({
      partnerRowId: `row_${salt}${String(from + i).padStart(18, '0')}`,
      referenceHotelId: `ref_01J5Z${String((from + i) * 7919).padStart(21, '0')}`,
      matchMethod: 'STANDARD',
      matchConfidence: null,
    }));
  }
}

const database = settings.databaseUrl
  ? { type: 'postgres', url: settings.databaseUrl, extra: { max: 10 } }
  : { type: 'postgres', driver: pgliteDriver(settings.dataDir) };
let statements = 0;
const source = await new DataSource({
  ...database,
  entities: dataSinksEntities,
  migrations: dataSinksMigrations,
}).initialize();
if (settings.migrate) await source.runMigrations();
// Every statement that reaches the database, whoever sends it.
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (...args) {
  statements++;
  return query.apply(this, args);
};

class BenchModule {}
Module({
  imports: [
    EventEmitterModule.forRoot(),
    TypeOrmModule.forRootAsync({
      useFactory: () => ({ type: 'postgres', manualInitialization: true }),
      dataSourceFactory: async () => source,
    }),
    DataSinksModule.forRoot({
      ports: { agentDirectory: Agents, workspacePlans: Plans, mappingResults: Results, workspaceAccess: Access },
      vaultKeys: settings.vaultKeys,
      allowPrivateEndpoints: ['127.0.0.0/8'],
      ...(settings.redisUrl && { wakeup: bullWakeup({ url: settings.redisUrl }) }),
      ...settings.options,
    }),
  ],
})(BenchModule);

const app = await NestFactory.createApplicationContext(BenchModule, { logger: ['error'] });
app.enableShutdownHooks();
const sinks = app.get(DataSinks);

const actions = {
  /** Sinks of one agent, written as the API would. */
  async addSinks({ agentId, urls, secret }) {
    const vault = new DatabaseSecretVault(source.manager, parseKeyRing(settings.vaultKeys), randomBytes);
    for (const [i, url] of urls.entries()) {
      const secretId = `sec_${agentId}_${i}`;
      await vault.store({ secretId, workspaceId: WORKSPACE }, secret);
      const config = { url, authScheme: 'HmacSha256', username: null, customHeaders: [], retryableStatuses: [] };
      await source.query(
        `INSERT INTO agent_data_source (id, workspace_id, agent_id, role, type, name, config, format, status, secret_id,
           secret_created_at) VALUES ($1, $2, $3, 'RESULTS_SINK', 'HTTPS_WEBHOOK', 'bench', $4, 'JSON', 'ACTIVE', $5, now())`,
        [`ads_${agentId}_${String(i).padStart(4, '0')}`, WORKSPACE, agentId, config, secretId],
      );
    }
  },
  /** Completes jobs, so many at a time, and says when each was recorded. */
  async complete({ agentIds, jobs, rows: rowCount, atOnce, tag }) {
    const times = {};
    let next = 0;
    const completeNext = async () => {
      while (next < jobs) {
        const n = next++;
        const jobId = `job_${rowCount}_${tag}${String(n).padStart(8, '0')}`;
        times[jobId] = Number(process.hrtime.bigint() / 1000n) / 1000;
        await sinks.recordJobCompleted({
          jobId,
          agentId: agentIds[n % agentIds.length],
          workspaceId: WORKSPACE,
          completedAt: new Date(),
          stats: { total: rowCount, matched: rowCount, unmatched: 0 },
        });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, completeNext));
    return times;
  },
  async statements() {
    return statements;
  },
  async query({ sql, parameters }) {
    return source.query(sql, parameters);
  },
  /** Milliseconds of one claim of 64, which is then taken back. */
  async timeClaim() {
    return source.transaction(async (manager) => {
      const startedAt = performance.now();
      await claimDeliveries(
        manager,
        { batch: 64, inFlightPerSink: 16, inFlightPerWorkspace: 128, leaseMs: 60_000 },
        '',
      );
      const ms = performance.now() - startedAt;
      await manager.query('ROLLBACK');
      await manager.query('BEGIN');
      return ms;
    });
  },
};

process.on('message', async ({ call, ask, ...parameters }) => {
  try {
    process.send({ call, answer: await actions[ask](parameters) });
  } catch (error) {
    process.send({ call, error: String(error?.stack ?? error) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: process.pid });
