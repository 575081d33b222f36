import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { adminControllers, adminProviders, LenientJson, mountedAt } from './admin/index.js';
import { consoleParts } from './console/index.js';
import { coreProviders, defaultAuditTrail, defaultSecretVault } from './data-sinks-core.module.js';
import { DataSinksHealth } from './data-sinks-health.js';
import { DataSinks } from './data-sinks.js';
import type { DataSinksOptions } from './data-sinks.options.js';
import {
  checkStructure,
  type DataSinksAsyncOptions,
  type DataSinksPorts,
  type DataSinksStructure,
  refuseSettingsBesideFactory,
  settingsIn,
  type WakeupAdapter,
} from './data-sinks.structure.js';
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
    return assemble(options, { provide: GIVEN_OPTIONS, useValue: settingsIn(options) });
  }

  /**
   * The same, with the settings from a factory, such as one that asks the host's `ConfigService`.
   * @throws ConfigurationError as `forRoot` does
   */
  static forRootAsync(options: DataSinksAsyncOptions): DynamicModule {
    refuseSettingsBesideFactory(options);
    const { useFactory, inject = [] } = options;
    return assemble(options, { provide: GIVEN_OPTIONS, useFactory, inject });
  }
}

const inProcessWakeup: WakeupAdapter = {
  imports: [],
  provider: { provide: Wakeup, useFactory: () => new InProcessWakeup() },
};

function assemble(structure: DataSinksStructure, options: Provider): DynamicModule {
  checkStructure(structure);
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
