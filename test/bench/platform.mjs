// The module in a process of its own, with ports in memory whose rows are made up as they are read: what is measured is
// the module, not a host's tables. Told what to do by messages.
import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
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
import { claimDeliveries } from '../../dist/src/data-sinks/queue/claim-deliveries.js';
import { databaseOf } from '../../dist/src/data-sinks/database/database.js';
import { DatabaseSecretVault } from '../../dist/src/data-sinks/vault/database-secret-vault.js';
import { parseKeyRing } from '../../dist/src/data-sinks/vault/key-ring.js';
import { pgliteDriver } from '../../dist/src/reference-host/persistence/pglite-driver.js';
import { answerAsks } from './child.mjs';
import { FILL_HOST, HOST_ROW, HOST_TABLE, serveJobs } from './front.mjs';
import { median } from './measure.mjs';
import { resultRow, workspaceOf } from './rows.mjs';
import { FILL } from './settled.mjs';

const settings = JSON.parse(process.env.BENCH_PLATFORM ?? '{}');
const RULES = { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 2 } };
/** Rows of a job, by its id: `job_<rows>_<n>`. */
const rowsOf = (jobId) => Number(jobId.split('_')[1]);
const BATCH = 1_000;

class Agents extends AgentDirectory {
  async findAgents(ids) {
    return ids.map((id) => ({ id, workspaceId: workspaceOf(id), active: true, ruleSet: RULES }));
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
  for (let from = 0; from < count; from += BATCH) {
    yield Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => resultRow(jobId, from + i));
  }
}

const database = settings.databaseUrl
  ? { type: 'postgres', url: settings.databaseUrl, extra: { max: 10 } }
  : { type: 'postgres', driver: pgliteDriver(settings.dataDir) };
const source = await new DataSource({
  ...database,
  entities: dataSinksEntities,
  migrations: dataSinksMigrations,
}).initialize();
if (settings.migrate) await source.runMigrations();
if (settings.migrate && settings.databaseUrl) await source.query(HOST_TABLE);

// Every statement that reaches the database, whoever sends it; and how long each took, where that is asked for.
let statements = 0;
let timings = null;
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function (...args) {
  statements++;
  const text = typeof args[0] === 'string' ? args[0] : (args[0]?.text ?? '');
  if (timings && text.includes('agent_data_source')) {
    const key = text.replace(/\s+/g, ' ').trim().slice(0, 160);
    const startedAt = performance.now();
    const ended = () => (timings[key] ??= []).push(performance.now() - startedAt);
    const callback = args.findIndex((arg) => typeof arg === 'function');
    if (callback >= 0) {
      const told = args[callback];
      args[callback] = (...answer) => (ended(), told(...answer));
    } else {
      const answer = query.apply(this, args);
      answer?.then?.(ended, () => undefined);
      return answer;
    }
  }
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

const completion = (jobId, agentId, total) => ({
  ...{ jobId, agentId, workspaceId: workspaceOf(agentId), completedAt: new Date() },
  stats: { total, matched: total, unmatched: 0 },
});

const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();

answerAsks({
  /** Sinks of one agent, written as the API would. */
  async addSinks({ agentId, urls, secret, format = 'JSON', bodies = {} }) {
    const vault = new DatabaseSecretVault(databaseOf(source), parseKeyRing(settings.vaultKeys), randomBytes);
    for (const [i, url] of urls.entries()) {
      const secretId = `sec_${agentId}_${i}`;
      const workspaceId = workspaceOf(agentId);
      await vault.store({ secretId, workspaceId }, secret);
      const config = {
        url,
        authScheme: 'HmacSha256',
        username: null,
        customHeaders: [],
        retryableStatuses: [],
        ...bodies,
      };
      await source.query(
        `INSERT INTO agent_data_source (id, workspace_id, agent_id, role, type, name, config, format, status, secret_id,
           secret_created_at) VALUES ($1, $2, $3, 'RESULTS_SINK', 'HTTPS_WEBHOOK', 'bench', $4, $6, 'ACTIVE', $5, now())`,
        [`ads_${agentId}_${String(i).padStart(4, '0')}`, workspaceId, agentId, config, secretId, format],
      );
    }
  },
  /** So many deliveries that ended long ago, of jobs and with attempts of their own. */
  async settle({ count, analyse }) {
    await source.query(FILL_HOST, [count]);
    for (const statement of FILL) await source.query(statement, [count]);
    for (const table of analyse) await source.query(`VACUUM (ANALYZE) ${table}`);
  },
  /** Behind HTTP: as the README advises, in the transaction in which the host finishes a job. */
  listen: () =>
    serveJobs(({ jobId, agentId, rows: rowCount }) =>
      source.transaction(async (manager) => {
        await manager.query(HOST_ROW, [jobId, agentId, rowCount]);
        await sinks.recordJobCompleted(completion(jobId, agentId, rowCount), manager);
      }),
    ),
  /** Completes jobs, so many at a time, and says when each was recorded. */
  async complete({ agentIds, jobs, rows: rowCount, atOnce, tag }) {
    const times = {};
    let next = 0;
    const completeNext = async () => {
      while (next < jobs) {
        const n = next++;
        const jobId = `job_${rowCount}_${tag}${String(n).padStart(8, '0')}`;
        times[jobId] = Number(process.hrtime.bigint() / 1000n) / 1000;
        await sinks.recordJobCompleted(completion(jobId, agentIds[n % agentIds.length], rowCount));
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
      await claimDeliveries(databaseOf(manager), {
        batch: 64,
        inFlightPerSink: 16,
        inFlightPerWorkspace: 128,
        leaseMs: 60_000,
        leasePrefix: '00000000-0000-4000',
      });
      const ms = performance.now() - startedAt;
      await manager.query('ROLLBACK');
      await manager.query('BEGIN');
      return ms;
    });
  },
  /** Milliseconds that the median execution of each statement takes, of those that ran often enough since the last call. */
  async statementTimes({ atLeast }) {
    const ended = timings ?? {};
    timings = {};
    const often = Object.entries(ended).filter(([, times]) => times.length >= atLeast);
    return Object.fromEntries(often.map(([key, times]) => [key, median(times)]));
  },
  /** The 99th percentile of the event loop's delay since the last call, in milliseconds. */
  async loopDelay() {
    const p99 = loop.percentile(99) / 1e6;
    loop.reset();
    return p99;
  },
});
