import type { Provider } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { DataSource } from 'typeorm';
import type { ResolvedDataSinksOptions } from './data-sinks.options.js';
import { DATABASE, OPTIONS } from './data-sinks.tokens.js';
import { PayloadBodies } from './payload/payload-bodies.js';
import { Transactions } from './persistence/transactions.js';
import {
  AutoDisable,
  DeliveryGate,
  DomainEvents,
  PayloadErasure,
  RecoveryPacer,
  Retention,
  SettledDeliveries,
  Wakeup,
} from './pipeline/index.js';
import { AuditTrail } from './ports/index.js';
import { provide } from './provide.js';
import { Telemetry } from './telemetry/telemetry.js';

type Options = ResolvedDataSinksOptions;

/** What follows an attempt, what is tried once more, and what is removed in the end. */
export const aftermath: readonly Provider[] = [
  provide(
    SettledDeliveries,
    [DomainEvents, AutoDisable, Telemetry, DATABASE, OPTIONS],
    (
      events: DomainEvents,
      autoDisable: AutoDisable,
      telemetry: Telemetry,
      { manager }: DataSource,
      { erasePayloadsOnSuccess }: Options,
    ) => new SettledDeliveries(events, autoDisable, telemetry, manager, erasePayloadsOnSuccess),
  ),
  provide(
    AutoDisable,
    [DATABASE, AuditTrail, DomainEvents, Telemetry, OPTIONS],
    ({ manager }: DataSource, audit: AuditTrail, events: DomainEvents, telemetry: Telemetry, options: Options) =>
      new AutoDisable(manager, audit, events, telemetry, {
        failures: options.disableAfter,
        withinMs: options.disableWithinMs,
      }),
  ),
  provide(
    DomainEvents,
    [{ token: EventEmitter2, optional: true }],
    (emitter: EventEmitter2 | undefined) => new DomainEvents(emitter),
  ),
  provide(
    RecoveryPacer,
    [DATABASE, DeliveryGate, AuditTrail, Wakeup, OPTIONS],
    ({ manager }: DataSource, gate: DeliveryGate, audit: AuditTrail, wakeup: Wakeup, options: Options) =>
      new RecoveryPacer(manager, gate, audit, wakeup, options),
  ),
  provide(
    Retention,
    [DATABASE, OPTIONS],
    ({ manager }: DataSource, options: Options) => new Retention(manager, options),
  ),
  provide(
    PayloadErasure,
    [Transactions, AuditTrail, PayloadBodies],
    (transactions: Transactions, audit: AuditTrail, bodies: PayloadBodies) =>
      new PayloadErasure(transactions, audit, bodies),
  ),
];
