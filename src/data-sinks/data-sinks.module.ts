import {
  type DynamicModule,
  type FactoryProvider,
  Module,
  type ModuleMetadata,
  type Provider,
  type Type,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { adminControllers, adminProviders, LenientJson, mountedAt } from './admin/index.js';
import { type ConsoleOptions, consoleParts } from './console/index.js';
import { coreProviders, defaultAuditTrail, defaultSecretVault } from './data-sinks-core.module.js';
import { DataSinksHealth } from './data-sinks-health.js';
import { DataSinks } from './data-sinks.js';
import type { DataSinksOptions } from './data-sinks.options.js';
import { DATABASE, GIVEN_OPTIONS } from './data-sinks.tokens.js';
import {
  AgentDirectory,
  AuditTrail,
  MappingResults,
  SecretVault,
  WorkspaceAccess,
  WorkspacePlans,
} from './ports/index.js';
import { InProcessWakeup } from './wakeup/in-process.wakeup.js';
import { Wakeup } from './wakeup/wakeup.js';

/** What the host brings: injectable classes. The first four are compulsory; forgetting one does not compile. */
export interface DataSinksPorts {
  readonly agentDirectory: Type<AgentDirectory>;
  readonly workspacePlans: Type<WorkspacePlans>;
  readonly mappingResults: Type<MappingResults>;
  readonly workspaceAccess: Type<WorkspaceAccess>;
  /** @default the module's own table, encrypted with `vaultKeys` */
  readonly secretVault?: Type<SecretVault>;
  /** @default the module's own table */
  readonly auditTrail?: Type<AuditTrail>;
}

/** A way to wake workers, and the modules that it needs. */
export interface WakeupAdapter {
  readonly imports: NonNullable<ModuleMetadata['imports']>;
  readonly provider: Provider<Wakeup>;
}

/** What must be known before anything is injected. */
export interface DataSinksStructure {
  readonly ports: DataSinksPorts;
  /** Modules whose exports the ports and the options' factory need. */
  readonly imports?: ModuleMetadata['imports'];
  /** The name of the host's TypeORM `DataSource`. It needs `dataSinksEntities` and `dataSinksMigrations`. @default the unnamed one */
  readonly dataSourceName?: string;
  /** How workers learn that something is due. For several processes: `bullWakeup()`. @default timers in this process */
  readonly wakeup?: WakeupAdapter;
  /** Where the API is mounted, after the host's global prefix and version; may be empty. @default 'api/v1' */
  readonly path?: string;
  /** Where the console is mounted, after the host's global prefix, such as `'console'`. @default false: it is not */
  readonly console?: string | ConsoleOptions | false;
  /** Whether `DataSinks` can be injected everywhere without importing this module. @default true */
  readonly isGlobal?: boolean;
}

export interface DataSinksAsyncOptions extends DataSinksStructure {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- Nest's own type of a factory's parameters
  readonly useFactory: (...dependencies: any[]) => DataSinksOptions | Promise<DataSinksOptions>;
  readonly inject?: FactoryProvider['inject'];
}

/**
 * Pushes the results of finished mapping jobs to the customers' HTTPS endpoints.
 *
 * The host needs `@nestjs/typeorm` with the module's entities and migrations, and, to be heard without calling
 * `DataSinks.recordJobCompleted()`, `EventEmitterModule.forRoot()`.
 */
@Module({})
export class DataSinksModule {
  /** Everything in the open. @throws ConfigurationError at boot when a setting cannot work */
  static forRoot(options: DataSinksStructure & DataSinksOptions): DynamicModule {
    return assemble(options, { provide: GIVEN_OPTIONS, useValue: options });
  }

  /** The same, with the settings from a factory, such as one that asks the host's `ConfigService`. */
  static forRootAsync(options: DataSinksAsyncOptions): DynamicModule {
    const { useFactory, inject = [] } = options;
    return assemble(options, { provide: GIVEN_OPTIONS, useFactory, inject });
  }
}

const inProcessWakeup: WakeupAdapter = {
  imports: [],
  provider: { provide: Wakeup, useFactory: () => new InProcessWakeup() },
};

function assemble(structure: DataSinksStructure, options: Provider): DynamicModule {
  const { imports = [], dataSourceName, isGlobal = true } = structure;
  const path = (structure.path ?? 'api/v1').replace(/^\/+|\/+$/g, '');
  const { wakeup = inProcessWakeup } = structure;
  const page = consoleParts(structure.console ?? false, path);
  return {
    module: DataSinksModule,
    global: isGlobal,
    imports: [...imports, ...wakeup.imports],
    providers: [
      options,
      { provide: DATABASE, useExisting: getDataSourceToken(dataSourceName) },
      ...bindPorts(structure.ports),
      wakeup.provider,
      ...coreProviders,
      ...adminProviders,
      {
        provide: LenientJson,
        inject: [HttpAdapterHost],
        useFactory: (adapterHost: HttpAdapterHost) => new LenientJson(adapterHost, path),
      },
      ...page.providers,
    ],
    controllers: [...adminControllers.map((controller) => mountedAt(path, controller)), ...page.controllers],
    exports: [DataSinks, DataSinksHealth],
  };
}

function bindPorts(ports: DataSinksPorts): Provider[] {
  return [
    { provide: AgentDirectory, useClass: ports.agentDirectory },
    { provide: WorkspacePlans, useClass: ports.workspacePlans },
    { provide: MappingResults, useClass: ports.mappingResults },
    { provide: WorkspaceAccess, useClass: ports.workspaceAccess },
    ports.secretVault ? { provide: SecretVault, useClass: ports.secretVault } : defaultSecretVault,
    ports.auditTrail ? { provide: AuditTrail, useClass: ports.auditTrail } : defaultAuditTrail,
  ];
}
