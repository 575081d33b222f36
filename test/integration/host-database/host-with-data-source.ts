import { createHash, randomBytes } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { AddressInfo } from 'node:net';
import { DataSource, type DataSourceOptions } from 'typeorm';
import {
  type Agent,
  AgentDirectory,
  DataSinks,
  DataSinksHealth,
  DataSinksModule,
  type DataSinksOptions,
  dataSinksEntities,
  dataSinksMigrations,
  JOB_COMPLETED_EVENT,
  type JobCompleted,
  MappingResults,
  SCOPES,
  WorkspacePlans,
} from '../../../src/data-sinks/index.js';
import { InMemoryMappingResults, StaticTokenAccess } from '../../../src/data-sinks/testing/index.js';
import { CollectingLogger } from '../../support/platform/collecting-logger.js';
import { until } from '../../support/platform/until.js';

const WORKSPACE = 'ws_1';
const AGENT = 'agt_1';
/** Where the API has the sinks of the agent. */
export const SINKS = `/agents/${AGENT}/data-sources`;
const CALLER = { workspaceId: WORKSPACE, actor: { type: 'user', id: 'usr_1' }, scopes: new Set(SCOPES) };

/** A busy machine is slow, and nothing of what is waited for here has a deadline of its own. */
export const PATIENCE_MS = 120_000;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

type PostgresConnectionOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** What the host's DataSource has beyond the module's entities and migrations. */
export type HostDataSource = Partial<Omit<PostgresConnectionOptions, 'type' | 'entities' | 'migrations'>>;

/** What else a host does with its DataSource and its application. */
export interface HostHabits {
  readonly made?: (dataSource: DataSource) => DataSource;
  readonly configure?: (app: NestExpressApplication) => unknown;
}

/** A host of one agent, over a DataSource with habits of its own. It runs its migrations when it starts. */
export class HostWithDataSource {
  private constructor(
    private readonly app: NestExpressApplication,
    private readonly results: InMemoryMappingResults,
    readonly logs: CollectingLogger,
  ) {}

  static async start(
    dataSource: HostDataSource,
    options: DataSinksOptions = {},
    { made = (one) => one, configure }: HostHabits = {},
  ): Promise<HostWithDataSource> {
    const results = new InMemoryMappingResults();
    const logs = new CollectingLogger();
    class HostModule {}
    Module({
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...optionsOf(dataSource), retryAttempts: 0 }),
          dataSourceFactory: async (own) => made(await new DataSource(own as PostgresConnectionOptions).initialize()),
        }),
        EventEmitterModule.forRoot(),
        DataSinksModule.forRoot({
          ports: portsOver(results),
          vaultKeys: `k1:${createHash('sha256').update('a key').digest('base64')}`,
          allowPrivateEndpoints: ['127.0.0.0/8'],
          ...options,
        }),
      ],
    })(HostModule);
    const app = await NestFactory.create<NestExpressApplication>(HostModule, { logger: logs, abortOnError: false });
    configure?.(app);
    await app.listen(0, '127.0.0.1');
    return new HostWithDataSource(app, results, logs);
  }

  get dataSource(): DataSource {
    return this.app.get(DataSource);
  }

  get dataSinks(): DataSinks {
    return this.app.get(DataSinks);
  }

  /** What it has logged as a warning or an error. */
  troubles(): Readonly<Record<string, string>>[] {
    return this.logs.lines.flatMap((line) => {
      const [, text] = /^(?:warn|error) (\{.*\})/s.exec(line) ?? [];
      if (text === undefined) return /^(warn|error) /.test(line) ? [{ event: line }] : [];
      return [JSON.parse(text) as Readonly<Record<string, string>>];
    });
  }

  health(): ReturnType<DataSinksHealth['check']> {
    return this.app.get(DataSinksHealth).check();
  }

  async call(method: string, path: string, body?: object): Promise<Answer> {
    const { port } = (this.app.getHttpServer() as { address(): AddressInfo }).address();
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method,
      headers: { authorization: 'Bearer mt_demo', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: JSON.parse(text || '{}') as Answer['body'] };
  }

  makeSink(url: string): Promise<Answer> {
    return this.call('POST', SINKS, {
      role: 'RESULTS_SINK',
      type: 'HTTPS_WEBHOOK',
      name: `to ${url}`,
      config: { url, authScheme: 'HmacSha256' },
      secret: { value: 'a-secret-of-at-least-32-characters' },
      format: 'JSON',
    });
  }

  /** Finishes a job of three results, and tells the module by an event, or by itself. */
  finish(tell = true): JobCompleted {
    const job = {
      jobId: `job_${randomBytes(6).toString('hex')}`,
      agentId: AGENT,
      workspaceId: WORKSPACE,
      completedAt: new Date(),
      stats: { total: 3, matched: 3, unmatched: 0 },
    };
    const rows = [1, 2, 3].map((i) => ({
      partnerRowId: `row_${i}`,
      referenceHotelId: `ref_${i}`,
      matchMethod: 'STANDARD',
      matchConfidence: 0.5,
    }));
    this.results.complete(job, rows);
    if (tell) this.app.get(EventEmitter2).emit(JOB_COMPLETED_EVENT, job);
    return job;
  }

  /** The deliveries of a sink once there is one and all have settled. */
  async settled(sinkId: unknown): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const ALL = 'PENDING,IN_FLIGHT,RETRYING,DELIVERED,FAILED,CANCELLED';
    return until(
      async () => {
        const { body } = await this.call('GET', `${SINKS}/${String(sinkId)}/deliveries?status=${ALL}`);
        const items = (body['items'] ?? []) as Readonly<Record<string, unknown>>[];
        const done = items.length > 0 && items.every(({ status }) => /DELIVERED|FAILED|CANCELLED/.test(String(status)));
        return done && items;
      },
      `all deliveries of ${String(sinkId)} have settled`,
      PATIENCE_MS,
    );
  }

  stop(): Promise<void> {
    return this.app.close();
  }
}

export function optionsOf(dataSource: HostDataSource): PostgresConnectionOptions {
  return {
    type: 'postgres',
    entities: dataSinksEntities,
    migrations: dataSinksMigrations,
    migrationsRun: true,
    ...dataSource,
  } as PostgresConnectionOptions;
}

function portsOver(results: InMemoryMappingResults) {
  const agent: Agent = {
    id: AGENT,
    workspaceId: WORKSPACE,
    active: true,
    ruleSet: { data_sinks: { auto_push_on_job_complete: true, retry_failed_push: 2 } },
  };
  return {
    agentDirectory: class extends AgentDirectory {
      override async findAgents(ids: readonly string[]): Promise<readonly Agent[]> {
        return ids.includes(AGENT) ? [agent] : [];
      }
    },
    workspacePlans: class extends WorkspacePlans {
      override async findPlans(): Promise<ReadonlyMap<string, string>> {
        return new Map([[WORKSPACE, 'PRO_MAX']]);
      }
    },
    mappingResults: class extends MappingResults {
      override findCompletedJob: MappingResults['findCompletedJob'] = (...of) => results.findCompletedJob(...of);
      override streamRows: MappingResults['streamRows'] = (job) => results.streamRows(job);
    },
    workspaceAccess: class extends StaticTokenAccess {
      constructor() {
        super({ mt_demo: CALLER });
      }
    },
  };
}
