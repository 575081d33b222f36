import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { bullWakeup } from '../data-sinks/bull.js';
import { s3 } from '../data-sinks/s3.js';
import { DataSinksModule, type DataSinksOptions, type Destination } from '../data-sinks/index.js';
import { AgentsController } from './agents/agents.controller.js';
import { Agents } from './agents/agents.js';
import { RuleSetsController } from './agents/rule-sets.controller.js';
import { RuleSets } from './agents/rule-sets.js';
import { credentialsOf } from './aws-environment.js';
import { HOST_ENVIRONMENT, type HostEnvironment } from './environment.js';
import { HealthController } from './health.controller.js';
import { LastAnswers, SHUTDOWN_GRACE_MS } from './http/last-answers.js';
import { JobStore } from './jobs/job-store.js';
import { MappingJobsController } from './jobs/mapping-jobs.controller.js';
import { MappingJobs } from './jobs/mapping-jobs.js';
import { LastResort } from './last-resort.js';
import { HostMetrics, MetricsController } from './metrics.controller.js';
import { ApiTokens } from './workspaces/api-tokens.js';
import { Workspaces } from './workspaces/workspaces.js';

/** The resources that the host needs. */
export interface HostParts {
  readonly environment: HostEnvironment;
  /** Open and migrated. */
  readonly dataSource: DataSource;
  /** Options of the module that are not in the environment, such as shorter waits in a test. */
  readonly options?: DataSinksOptions;
  /** Types of sinks beside webhooks. @default S3, with roles where the environment has credentials for them */
  readonly destinations?: readonly Type<Destination>[];
}

/** Same as the module's own option for attempts in flight (docs/operations.md, options). */
const DEFAULT_SHUTDOWN_GRACE_MS = 25_000;

/** The smallest platform that can run the module: its own tables and endpoints, and the module's four ports. */
@Module({})
export class HostModule {
  static with({ environment, dataSource, options, ...parts }: HostParts): DynamicModule {
    const { aws } = environment;
    const { destinations = [s3(aws && { credentials: credentialsOf(aws) })] } = parts;
    const metrics = new HostMetrics(environment);
    return {
      module: HostModule,
      imports: [
        EventEmitterModule.forRoot(),
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ type: 'postgres', retryAttempts: 0, manualInitialization: true }),
          dataSourceFactory: () => Promise.resolve(dataSource),
        }),
        DataSinksModule.forRoot({
          ports: {
            agentDirectory: Agents,
            workspacePlans: Workspaces,
            mappingResults: JobStore,
            workspaceAccess: ApiTokens,
          },
          ...(environment.redisUrl === null ? {} : { wakeup: bullWakeup({ url: environment.redisUrl }) }),
          destinations,
          console: { path: 'console', sampleJobs: true },
          allowPrivateEndpoints: environment.allowPrivateEndpoints,
          preparedStatements: environment.preparedStatements,
          ...(environment.vaultKeys === null ? {} : { vaultKeys: environment.vaultKeys }),
          meterProvider: metrics.provider,
          ...options,
        }),
      ],
      controllers: [
        ...[AgentsController, RuleSetsController, MappingJobsController, HealthController],
        ...(environment.metricsPort === null ? [MetricsController] : []),
      ],
      providers: [
        { provide: HOST_ENVIRONMENT, useValue: environment },
        { provide: HostMetrics, useValue: metrics },
        { provide: SHUTDOWN_GRACE_MS, useValue: options?.shutdownGraceMs ?? DEFAULT_SHUTDOWN_GRACE_MS },
        LastAnswers,
        LastResort,
        Workspaces,
        ApiTokens,
        Agents,
        RuleSets,
        JobStore,
        MappingJobs,
      ],
    };
  }
}
