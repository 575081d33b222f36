import type { FactoryProvider, ModuleMetadata, Provider, Type } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { ConsoleOptions } from './console/index.js';
import { ConfigurationError } from './core/errors.js';
import { refuseUnknown } from './data-sinks.option-checks.js';
import type { DataSinksOptions } from './data-sinks.options.js';
import { dataSinksEntities } from './entities.js';
import type {
  AgentDirectory,
  AuditTrail,
  MappingResults,
  SecretVault,
  WorkspaceAccess,
  WorkspacePlans,
} from './ports/index.js';
import type { Wakeup } from './wakeup/wakeup.js';

/**
 * What the host brings: injectable classes, which Nest makes with what the structure's `imports` export. The first four
 * are compulsory; forgetting one does not compile.
 */
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

/** Its type tells that none is forgotten. */
const STRUCTURE: Readonly<Record<keyof DataSinksStructure, true>> = {
  ports: true,
  imports: true,
  dataSourceName: true,
  wakeup: true,
  path: true,
  console: true,
  isGlobal: true,
};

const PORTS: Readonly<Record<keyof DataSinksPorts, 'compulsory' | 'optional'>> = {
  agentDirectory: 'compulsory',
  workspacePlans: 'compulsory',
  mappingResults: 'compulsory',
  workspaceAccess: 'compulsory',
  secretVault: 'optional',
  auditTrail: 'optional',
};

/** What is left of everything in the open: the settings. */
export function settingsIn(options: DataSinksStructure & DataSinksOptions): DataSinksOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !Object.hasOwn(STRUCTURE, name)));
}

/** @throws ConfigurationError when a setting stands beside the factory that should return it */
export function refuseSettingsBesideFactory(options: DataSinksAsyncOptions): void {
  const known = [...Object.keys(STRUCTURE), 'useFactory', 'inject'];
  refuseUnknown('forRootAsync, whose settings are what useFactory returns,', options, known);
  if (typeof options.useFactory === 'function') return;
  throw new ConfigurationError('useFactory must be a function that returns the settings');
}

/**
 * What a compiler would have told, for hosts that have none.
 * @throws ConfigurationError that says what is wrong and what to give instead
 */
export function checkStructure({ ports, path }: DataSinksStructure): void {
  if (path !== undefined && typeof path !== 'string') {
    throw new ConfigurationError(`path must be a text such as 'api/v1', not ${String(path)}`);
  }
  refuseUnknown('ports', ports ?? {}, Object.keys(PORTS));
  for (const [name, need] of Object.entries(PORTS)) {
    const port: unknown = ports?.[name as keyof DataSinksPorts];
    if (typeof port === 'function' || (need === 'optional' && port === undefined)) continue;
    throw new ConfigurationError(
      `ports.${name} must be an injectable class, and not an object of it: Nest makes it, with what "imports" export`,
    );
  }
}

/** @throws ConfigurationError when the host's data source does not know our entities: every request would fail */
export function checkEntities(database: DataSource): void {
  const missing = dataSinksEntities.filter((entity) => !database.hasMetadata(entity)).map(({ name }) => name);
  if (missing.length === 0) return;
  throw new ConfigurationError(
    `the DataSource of the module does not have its entities (${missing.join(', ')}). Put ` +
      'dataSinksEntities into its "entities" and dataSinksMigrations into its "migrations"; when the module belongs to ' +
      'another DataSource, name that one with "dataSourceName"',
  );
}
