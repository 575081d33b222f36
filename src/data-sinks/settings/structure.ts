import type { ConfigurableModuleAsyncOptions, ModuleMetadata, Provider, Type } from '@nestjs/common';
import type { ConsoleOptions } from '../../console/index.js';
import { ConfigurationError } from '../domain/errors.js';
import { refuseUnknown } from './option-checks.js';
import type { DataSinksOptions } from '../data-sinks.options.js';
import type {
  AgentDirectory,
  AuditTrail,
  MappingResults,
  SecretVault,
  WorkspaceAccess,
  WorkspacePlans,
} from '../ports/index.js';
import type { Destination } from '../destinations/destination.js';
import type { Wakeup } from '../queue/wakeup/wakeup.js';

/**
 * Classes that the host provides. Nest instantiates them with the exports of the structure's `imports`. The first four
 * are required; omitting one does not compile.
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

/** A way to wake workers, and the modules that it imports. */
export interface WakeupAdapter {
  readonly imports: NonNullable<ModuleMetadata['imports']>;
  readonly provider: Provider<Wakeup>;
}

/** Settings that must be known before anything is injected. */
export interface DataSinksStructure {
  readonly ports: DataSinksPorts;
  /** Modules whose exports the ports and the options factory inject. */
  readonly imports?: ModuleMetadata['imports'];
  /** The name of the host's TypeORM `DataSource`. It needs `dataSinksEntities` and `dataSinksMigrations`. @default the unnamed one */
  readonly dataSourceName?: string;
  /**
   * How workers are notified of due deliveries. For several processes: `bullWakeup()`. @default timers in this process
   */
  readonly wakeup?: WakeupAdapter;
  /**
   * Types of destinations beside `HTTPS_WEBHOOK`: injectable classes, which Nest makes with what `imports` export.
   * @default []
   */
  readonly destinations?: readonly Type<Destination>[];
  /** Where the API is mounted, after the host's global prefix and version; may be empty. @default 'api/v1' */
  readonly path?: string;
  /** Path of the console after the host's global prefix, such as `'console'`; false disables it. @default false */
  readonly console?: string | ConsoleOptions | false;
  /**
   * Decorators for our controllers, including the console's, to exempt them from the host's global guards, such as
   * `[Public(), SkipThrottle()]`. Of the host's global enhancers, only guards apply to our routes. @default []
   */
  readonly decorators?: readonly ClassDecorator[];
  /** Whether `DataSinks` can be injected without importing this module. @default true */
  readonly isGlobal?: boolean;
}

/** A class that creates the options, for `useClass` and `useExisting`. */
export interface DataSinksOptionsFactory {
  createDataSinksOptions(): DataSinksOptions | Promise<DataSinksOptions>;
}

type Sources = Pick<
  ConfigurableModuleAsyncOptions<DataSinksOptions, keyof DataSinksOptionsFactory>,
  'useFactory' | 'inject' | 'useClass' | 'useExisting'
>;

/**
 * The structure and the source of the options: one of
 * - `useFactory`, a function that returns them and receives what `inject` lists;
 * - `useClass`, a `DataSinksOptionsFactory` that Nest instantiates for the module;
 * - `useExisting`, one that a module of `imports` exports.
 */
export interface DataSinksAsyncOptions extends DataSinksStructure, Sources {}

/** Keys that are structure, not options; the type ensures that none is forgotten. The module has the defaults. */
export const STRUCTURE: Readonly<Record<keyof DataSinksStructure, undefined>> = {
  ports: undefined,
  imports: undefined,
  dataSourceName: undefined,
  wakeup: undefined,
  destinations: undefined,
  path: undefined,
  console: undefined,
  decorators: undefined,
  isGlobal: undefined,
};

const PORTS: Readonly<Record<keyof DataSinksPorts, 'compulsory' | 'optional'>> = {
  agentDirectory: 'compulsory',
  workspacePlans: 'compulsory',
  mappingResults: 'compulsory',
  workspaceAccess: 'compulsory',
  secretVault: 'optional',
  auditTrail: 'optional',
};

const SOURCES = ['useFactory', 'useClass', 'useExisting'] as const;

/**
 * @throws ConfigurationError when an option stands next to a source of options, or when there is not exactly one source
 */
export function checkSources(options: DataSinksAsyncOptions): void {
  const known = [...Object.keys(STRUCTURE), ...SOURCES, 'inject'];
  refuseUnknown('forRootAsync (useFactory returns the options)', options, known);
  const given = SOURCES.filter((source) => options[source] !== undefined);
  if (given.length > 1)
    throw new ConfigurationError(`the options come from one of ${given.join(' and ')}, not from both`);
  const [source] = given;
  if (source === 'useExisting' || (source !== undefined && typeof options[source] === 'function')) return;
  throw new ConfigurationError(
    'useFactory must be a function that returns the options; or set useClass or useExisting to a class that creates them',
  );
}

/**
 * Names the ports so that Nest's own error is helpful when it cannot resolve a port's dependency: "Nest can't resolve
 * dependencies of the ports.agentDirectory of DataSinksModule (class Agents): …".
 */
export function namedPorts(ports: DataSinksPorts): DataSinksPorts {
  const given = Object.entries(ports).filter(([, port]) => port !== undefined) as [string, Type][];
  return Object.fromEntries(given.map(([name, port]) => [name, namedPort(name, port)])) as unknown as DataSinksPorts;
}

function namedPort(name: string, port: Type): Type {
  const named = class extends port {};
  const value = `ports.${name} of DataSinksModule (class ${port.name}): add the modules that export them to its "imports"`;
  Object.defineProperty(named, 'name', { value });
  return named;
}

/**
 * Run-time checks for hosts without a compiler.
 * @throws ConfigurationError that says what is wrong and what to set
 */
export function checkStructure({ ports, path, decorators = [], destinations = [] }: DataSinksStructure): void {
  if (path !== undefined && typeof path !== 'string') {
    throw new ConfigurationError(`path must be a text such as 'api/v1', not ${String(path)}`);
  }
  if (!Array.isArray(decorators) || !decorators.every((it) => typeof it === 'function')) {
    throw new ConfigurationError('decorators must be a list of class decorators, called, such as [Public()]');
  }
  if (!Array.isArray(destinations) || !destinations.every((it) => typeof it === 'function')) {
    throw new ConfigurationError('destinations must be a list of injectable classes that extend Destination');
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
