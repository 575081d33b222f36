import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  Inject,
  Module,
  type NestModule,
  type Provider,
  type Type,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { VERSION_METADATA } from '@nestjs/common/constants.js';
import { ApplicationConfig } from '@nestjs/core';
import { getDataSourceToken } from '@nestjs/typeorm';
import { consoleParts } from '../console/index.js';
import { apiControllers, apiProviders, ProblemFilter } from './api/index.js';
import { DataSinksHealth } from './data-sinks.health.js';
import { DataSinksRuntime } from './data-sinks.lifecycle.js';
import type { DataSinksOptions } from './data-sinks.options.js';
import { API_CONTROLLERS, DATA_SOURCE, GIVEN_OPTIONS, MOUNT } from './data-sinks.tokens.js';
import { DataSinks } from './data-sinks.js';
import { Audit } from './database/audit/audit.js';
import { Database } from './database/database.js';
import { ServerClock } from './database/server-clock.js';
import { AttemptRecorder } from './delivery/attempt-recorder.js';
import { AttemptRepository } from './delivery/attempt.repository.js';
import { DeliveryAttempt } from './delivery/delivery-attempt.js';
import { DeliveryGate } from './delivery/delivery-gate.js';
import { DeliveryWorker } from './delivery/delivery-worker.js';
import { DeliveryRepository } from './delivery/delivery.repository.js';
import { Destinations } from './destinations/destinations.js';
import { PushClient } from './egress/index.js';
import { DeliveryRecorder } from './intake/delivery-recorder.js';
import { JobCompletedListener } from './intake/job-completed.listener.js';
import { MissedCompletions } from './intake/missed-completions.js';
import { BodyThreadClient } from './payload/body-thread-client.js';
import { PayloadBodies } from './payload/payload-bodies.js';
import { PayloadBuilder } from './payload/payload-builder.js';
import { PayloadStore } from './payload/payload-store.js';
import { boundPorts } from './ports/bound/bound-ports.js';
import { Handover } from './queue/handover.js';
import { OwnFailureRelease } from './queue/own-failure-release.js';
import { ThisWorker } from './queue/this-worker.js';
import { WorkerPresence } from './queue/worker-presence.js';
import { InProcessWakeup } from './queue/wakeup/in-process.wakeup.js';
import { Wakeup } from './queue/wakeup/wakeup.js';
import { RecoveryAdmin } from './recovery/recovery-admin.js';
import { RecoveryPacer } from './recovery/recovery-pacer.js';
import { RecoveryRepository } from './recovery/recovery.repository.js';
import { fieldsOf, hostDestinations } from './settings/host-destinations.js';
import { hostPorts } from './settings/host-ports.js';
import {
  checkSources,
  checkStructure,
  type DataSinksAsyncOptions,
  type DataSinksOptionsFactory,
  type DataSinksStructure,
  namedPorts,
  STRUCTURE,
  type WakeupAdapter,
} from './settings/structure.js';
import { values } from './settings/values.js';
import { AuditOutbox } from './settlement/audit-outbox.js';
import { DeliveryEnds } from './settlement/delivery-ends.js';
import { DeliveryParts } from './settlement/delivery-parts.js';
import { EventPublisher } from './settlement/event-publisher.js';
import { PayloadErasure } from './settlement/payload-erasure.js';
import { SettledDeliveries } from './settlement/settled-deliveries.js';
import { SinkCircuit } from './settlement/sink-circuit.js';
import { DataSinkAdmin } from './sinks/data-sink-admin.js';
import { DataSinkRepository } from './sinks/data-sink.repository.js';
import { EndpointAdmission } from './sinks/endpoint-admission.js';
import { LeftBehindCleaner } from './sinks/left-behind.js';
import { RetiredSecrets } from './sinks/retired-secrets.js';
import { SecretOverlaps } from './sinks/secret-overlaps.js';
import { SecretRotation } from './sinks/secret-rotation.js';
import { SinkTest } from './sinks/sink-test.js';
import { SinkPing } from './sinks/sink-ping.js';
import { TestLimit } from './sinks/test-limit.js';
import { Outages } from './telemetry/outages.js';
import { Telemetry } from './telemetry/telemetry.js';
import { AttemptPartitions } from './upkeep/attempt-partitions.js';
import { ExpiredLeases } from './upkeep/expired-leases.js';
import { Retention } from './upkeep/retention.js';
import { Upkeep } from './upkeep/upkeep.js';
import { SecretsInForce } from './vault/secrets-in-force.js';

/**
 * The builder's class. Its own types make the structure optional; the types below make a missing port a compile error.
 */
interface ConfigurableModule {
  new (): object;
  forRoot(options: DataSinksStructure & DataSinksOptions): DynamicModule;
  forRootAsync(options: DataSinksAsyncOptions): DynamicModule;
}

const factoryMethod: keyof DataSinksOptionsFactory = 'createDataSinksOptions';

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<DataSinksOptions>({
  optionsInjectionToken: GIVEN_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName(factoryMethod)
  .setExtras<Partial<DataSinksStructure>>(STRUCTURE, (definition, structure) =>
    assemble(definition, structure as DataSinksStructure),
  )
  .build();

/**
 * Pushes the results of finished mapping jobs to the customers' HTTPS endpoints.
 *
 * The host needs `@nestjs/typeorm` with the module's entities and migrations, and, to be heard without calling
 * `DataSinks.recordJobCompleted()`, `EventEmitterModule.forRoot()`.
 */
@Module({})
export class DataSinksModule extends (ConfigurableModuleClass as ConfigurableModule) implements NestModule {
  constructor(
    @Inject(API_CONTROLLERS) private readonly controllers: readonly Type[],
    private readonly host: ApplicationConfig,
  ) {
    super();
  }

  /**
   * Called when the host has configured versioning but has no routes yet. Our routes follow its default version if that
   * is part of the URL. We ignore a version in a header, which our callers do not send.
   */
  configure(): void {
    const versioning = this.host.getVersioning();
    if (!versioning || versioning.type === VersioningType.URI) return;
    for (const controller of this.controllers) Reflect.defineMetadata(VERSION_METADATA, VERSION_NEUTRAL, controller);
  }

  /** @throws ConfigurationError at boot when an option is invalid */
  static override forRoot(options: DataSinksStructure & DataSinksOptions): DynamicModule {
    return super.forRoot(options);
  }

  /**
   * Like `forRoot`, with options from a factory that may inject e.g. the host's `ConfigService`: a function
   * (`useFactory`, `inject`) or a class (`useClass`, `useExisting`).
   * @throws ConfigurationError as `forRoot` does
   */
  static override forRootAsync(options: DataSinksAsyncOptions): DynamicModule {
    checkSources(options);
    return super.forRootAsync(options);
  }
}

// The steps in the order in which a completed job passes them. The structure chooses the wake-up.
const intake = [JobCompletedListener, DeliveryRecorder, MissedCompletions];
const queue = [ThisWorker, WorkerPresence, OwnFailureRelease];
const delivery = [
  Handover,
  DeliveryWorker,
  DeliveryGate,
  DeliveryAttempt,
  AttemptRecorder,
  DeliveryRepository,
  AttemptRepository,
];
const payload = [PayloadBodies, PayloadBuilder, PayloadStore, BodyThreadClient];
const egress = [PushClient];
const settlement = [
  SettledDeliveries,
  DeliveryEnds,
  AuditOutbox,
  EventPublisher,
  DeliveryParts,
  SinkCircuit,
  PayloadErasure,
];
const upkeep = [Upkeep, ExpiredLeases, AttemptPartitions, Retention];
const recovery = [RecoveryAdmin, RecoveryPacer, RecoveryRepository];
const sinks = [
  DataSinkAdmin,
  DataSinkRepository,
  EndpointAdmission,
  SinkTest,
  TestLimit,
  SinkPing,
  SecretRotation,
  SecretOverlaps,
  RetiredSecrets,
  LeftBehindCleaner,
];

/** Providers of every module; the host chooses the ports, the wake-up and the mount paths. */
export const providers: readonly Provider[] = [
  values,
  [Database, ServerClock, Audit, Telemetry, Outages, SecretsInForce],
  intake,
  queue,
  delivery,
  payload,
  egress,
  settlement,
  upkeep,
  recovery,
  sinks,
  apiProviders,
  [DataSinks, DataSinksHealth, DataSinksRuntime],
].flat();

const inProcessWakeup: WakeupAdapter = {
  imports: [],
  provider: { provide: Wakeup, useClass: InProcessWakeup },
};

/** Builds the dynamic module from the host's structure, its defaults and the common providers. */
function assemble(definition: DynamicModule, structure: DataSinksStructure): DynamicModule {
  checkStructure(structure);
  const { dataSourceName, wakeup = inProcessWakeup, decorators = [], isGlobal = true } = structure;
  const path = (structure.path ?? 'api/v1').replace(/^\/+|\/+$/g, '');
  const mount = {};
  const api = apiControllers({ mount, path, decorators }, fieldsOf(structure.destinations ?? []));
  const page = consoleParts(structure.console ?? false, path, { mount, decorators }, Destinations);
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? structure.imports ?? []), ...wakeup.imports],
    providers: [
      ...(definition.providers ?? []),
      { provide: DATA_SOURCE, useExisting: getDataSourceToken(dataSourceName) },
      { provide: MOUNT, useValue: mount },
      { provide: API_CONTROLLERS, useValue: api },
      ...hostPorts(namedPorts(structure.ports)),
      ...boundPorts,
      ...hostDestinations(structure.destinations ?? []),
      wakeup.provider,
      ...providers,
      ...page.providers,
    ],
    controllers: [...api, ...page.controllers],
    exports: [DataSinks, DataSinksHealth, ProblemFilter],
  };
}
