import { jest } from '@jest/globals';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { HOST_WORKSPACE_PLANS } from '../../../src/data-sinks/data-sinks.tokens.js';
import { type DataSinksOptions, dataSinksMigrations, type WorkspacePlans } from '../../../src/data-sinks/index.js';
import { hostMigrations } from '../../../src/reference-host/persistence/migrations/index.js';
import { type StartedHost, startHost } from '../../../src/reference-host/start-host.js';
import { CollectingLogger } from '../platform/collecting-logger.js';
import { resultRows, sinkBody } from '../platform/customer.js';
import { type Endpoint, Receiver } from '../platform/receiver-process.js';
import { Platform } from '../platform/start-platform.js';
import { migratedPostgres, type TestDatabase } from '../postgres-template.js';
import { redisServer } from '../services/redis-server.js';

const PROXY = fileURLToPath(new URL('../../chaos/processes/proxy.mjs', import.meta.url));
const key = (): string => randomBytes(32).toString('base64');

/** Longer than any test waits: what is delivered after a repair was not waited for by its own back-off. */
const OWN_BACK_OFF_MS = 3_600_000;
const OPTIONS: DataSinksOptions = {
  ...{ retryWaitsMs: [OWN_BACK_OFF_MS], pollMs: 500, sweepMs: 2_000, shutdownGraceMs: 1_000 },
  requestsPerMinute: 100_000,
};

export type Network = 'open' | 'frozen' | 'cut';

/** A host between whom and its database is a network that can fail, with a Redis of its own, and what an operator sees. */
export class StopStage {
  readonly vaultKeys = `test:${key()}`;
  #platform: Platform | null = null;
  #token = '';
  #agent = '';

  private constructor(
    private readonly database: TestDatabase,
    private readonly network: ChildProcess,
    private readonly databaseUrl: string,
    readonly redis: Awaited<ReturnType<typeof redisServer>>,
    readonly receiver: Receiver,
    private readonly directory: string,
  ) {}

  static async open(): Promise<StopStage> {
    const directory = await mkdtemp(join(tmpdir(), 'data-sinks-stops-'));
    const [database, redis, receiver] = await Promise.all([
      migratedPostgres([...dataSinksMigrations, ...hostMigrations]),
      redisServer(join(directory, 'redis')),
      Receiver.start(),
    ]);
    const url = new URL(database.url);
    const network = fork(PROXY, [JSON.stringify({ host: url.hostname, port: Number(url.port) })], { execArgv: [] });
    const [{ port }] = (await once(network, 'message')) as [{ port: number }];
    url.port = String(port);
    return new StopStage(database, network, url.href, redis, receiver, directory);
  }

  async close(): Promise<void> {
    await this.stopHost();
    this.network.kill('SIGKILL');
    await Promise.all([this.receiver.stop(), this.redis.stop(), this.database.drop()]);
    await rm(this.directory, { recursive: true });
  }

  get platform(): Platform {
    if (!this.#platform) throw new Error('no host runs');
    return this.#platform;
  }

  async startHost(options: DataSinksOptions = {}, vaultKeys = this.vaultKeys): Promise<void> {
    const logs = new CollectingLogger();
    // The host sets a logger of its own, and says some things while it starts.
    const [error, log] = (['error', 'log'] as const).map((level) =>
      jest.spyOn(ConsoleLogger.prototype, level).mockImplementation((...parts: unknown[]) => logs[level](...parts)),
    );
    const started: StartedHost = await startHost(
      {
        ...{ port: 0, bind: null, metricsPort: null, dataDir: this.directory, databaseUrl: this.databaseUrl },
        ...{ redisUrl: this.redis.url, vaultKeys, preparedStatements: true, logLevel: 'log' },
        allowPrivateEndpoints: ['127.0.0.0/8'],
      },
      { ...OPTIONS, ...options },
    );
    error?.mockRestore();
    log?.mockRestore();
    Logger.overrideLogger(logs);
    this.#platform = new Platform(started.app, started.url, this.receiver, logs, async () => undefined);
  }

  async stopHost(): Promise<void> {
    await this.#platform?.app.close();
    this.#platform = null;
    jest.restoreAllMocks();
  }

  async restartHost(options: DataSinksOptions = {}, vaultKeys = this.vaultKeys): Promise<void> {
    await this.stopHost();
    await this.startHost(options, vaultKeys);
  }

  async turnNetwork(state: Network): Promise<void> {
    this.network.send(state);
    await once(this.network, 'message');
  }

  /** Past the network that the host goes through, on the database or another one of its server. */
  async sql(text: string, database = new URL(this.database.url).pathname): Promise<void> {
    const url = new URL(this.database.url);
    url.pathname = database;
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }

  get databaseName(): string {
    return new URL(this.database.url).pathname.slice(1);
  }

  failPort(): void {
    const plans = this.platform.app.get<WorkspacePlans>(HOST_WORKSPACE_PLANS, { strict: false });
    jest.spyOn(plans, 'findPlans').mockRejectedValue(new Error('plans are away'));
  }

  repairPort(): void {
    jest.restoreAllMocks();
  }

  /** A customer with one sink, whose agent pushes each job. */
  async makeSink(): Promise<Endpoint> {
    const customer = await this.platform.customer();
    this.#token = await this.platform.token(customer.workspaceId);
    const agent = await customer.agent();
    this.#agent = agent.path;
    const endpoint = await this.receiver.endpoint();
    await agent.api.post(`${agent.path}/data-sources`, sinkBody(endpoint.url));
    return endpoint;
  }

  /** At the host that runs now. @returns the job's id */
  async finishJob(): Promise<string> {
    const { status, body, text } = await this.platform
      .client(this.#token)
      .post(`${this.#agent}/mapping-jobs`, { results: resultRows(3) });
    if (status !== 201) throw new Error(`the job was not taken: ${status} ${text}`);
    return (body as { jobId: string }).jobId;
  }

  async health(): Promise<{ readonly status: number; readonly body: HealthBody }> {
    const answer = await fetch(`${this.platform.origin}/healthz`, { signal: AbortSignal.timeout(30_000) });
    return { status: answer.status, body: (await answer.json()) as HealthBody };
  }

  async metrics(): Promise<string> {
    const answer = await fetch(`${this.platform.origin}/metrics`, { signal: AbortSignal.timeout(30_000) });
    return answer.text();
  }
}

export interface HealthBody {
  readonly status: string | number;
  readonly detail?: string;
  readonly reasons?: readonly { readonly kind: string }[];
}
