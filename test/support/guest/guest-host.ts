import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Global, type INestApplication, Module, type ModuleMetadata, type Type } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import {
  type Agent,
  DataSinksModule,
  type DataSinksOptions,
  type DataSinksPorts,
  type DataSinksStructure,
  type JobCompleted,
  SCOPES,
} from '../../../src/data-sinks/index.js';
import {
  InMemoryAgentDirectory,
  InMemoryMappingResults,
  InMemoryWorkspacePlans,
  StaticTokenAccess,
} from '../../../src/data-sinks/testing/index.js';
import { ask, type Asked, type RawAnswer, TOKEN } from './ask.js';

export type Framework = 'Express' | 'Fastify';

export const AGENT = 'agt_01J00000000000000000000001';
const WORKSPACE = 'ws_01J00000000000000000000001';
const JOB: JobCompleted = {
  jobId: 'job_01J00000000000000000000001',
  agentId: AGENT,
  workspaceId: WORKSPACE,
  completedAt: new Date('2026-05-25T12:34:56Z'),
  stats: { total: 1, matched: 1, unmatched: 0 },
};
const ROW = { partnerRowId: 'row_1', referenceHotelId: 'ref_1', matchMethod: 'STANDARD', matchConfidence: null };
const CALLER = { workspaceId: WORKSPACE, actor: { type: 'token', id: 'tok_1' }, scopes: new Set(SCOPES) };

/** Somebody's backend, with what it has of its own. */
export interface GuestHostRequest {
  readonly framework: Framework;
  readonly database: DataSource;
  readonly module?: Partial<DataSinksStructure & DataSinksOptions>;
  readonly host?: ModuleMetadata;
  /** What its `main.ts` does before it listens. */
  readonly configure?: (app: INestApplication) => unknown;
  readonly adapter?: () => AbstractHttpAdapter;
}

export interface GuestHost {
  readonly app: INestApplication;
  readonly origin: string;
  ask(asked: Asked): Promise<RawAnswer>;
  close(): Promise<void>;
}

/** The module with everything that it asks of a host, in a host that a test describes. */
export async function startGuestHost(wanted: GuestHostRequest): Promise<GuestHost> {
  const { framework, database, module = {}, host = {}, configure } = wanted;
  class DatabaseModule {}
  const provided = { provide: getDataSourceToken(), useValue: database };
  Module({ providers: [provided], exports: [provided] })(DatabaseModule);
  Global()(DatabaseModule);
  class HostModule {}
  const dataSinks = DataSinksModule.forRoot({
    ports: ports(),
    vaultKeys: `k1:${createHash('sha256').update('guest').digest('base64')}`,
    allowPrivateEndpoints: ['127.0.0.0/8'],
    pollMs: 100,
    requestsPerMinute: 100_000,
    // PGlite, as one connection for all, has none to prepare statements on.
    preparedStatements: false,
    resolver: async () => [{ address: '93.184.216.34', family: 4 }],
    // Nobody answers there, and a ping is only sent while the limit of Tests allows it.
    pingOnSave: false,
    ...module,
  });
  const imports = [DatabaseModule, EventEmitterModule.forRoot(), dataSinks, ...(host.imports ?? [])];
  Module({ ...host, imports })(HostModule);
  const adapter = wanted.adapter?.() ?? (framework === 'Express' ? new ExpressAdapter() : new FastifyAdapter());
  const app = await NestFactory.create(HostModule as Type, adapter as AbstractHttpAdapter, { logger: false });
  await configure?.(app);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const origin = `http://127.0.0.1:${port}`;
  return { app, origin, ask: (asked) => ask(origin, asked), close: () => app.close() };
}

function ports(): DataSinksPorts {
  const agent: Agent = {
    id: AGENT,
    workspaceId: WORKSPACE,
    active: true,
    ruleSet: { data_sinks: { auto_push_on_job_complete: true } },
  };
  return {
    agentDirectory: class extends InMemoryAgentDirectory {
      constructor() {
        super([agent]);
      }
    },
    workspacePlans: class extends InMemoryWorkspacePlans {
      constructor() {
        super({ [WORKSPACE]: 'PRO_MAX' });
      }
    },
    mappingResults: class extends InMemoryMappingResults {
      constructor() {
        super();
        this.complete(JOB, [ROW]);
      }
    },
    workspaceAccess: class extends StaticTokenAccess {
      constructor() {
        super({ [TOKEN]: CALLER });
      }
    },
  };
}

/** The job that every host has finished. */
export const JOB_ID = JOB.jobId;
