import type { Provider } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { DataSource } from 'typeorm';
import type { ResolvedDataSinksOptions } from './data-sinks.options.js';
import { DATABASE, OPTIONS, SESSION } from './data-sinks.tokens.js';
import { PayloadBodies } from './payload/payload-bodies.js';
import { PayloadStore } from './payload/payload-store.js';
import type { Database } from './persistence/database.js';
import { Transactions } from './persistence/transactions.js';
import {
  AutoDisable,
  DeliveryGate,
  DeliveryParts,
  DomainEvents,
  Housekeeping,
  PayloadErasure,
  RecoveryPacer,
  Retention,
  SecretOverlaps,
  SettledDeliveries,
  SinkPauses,
  Wakeup,
} from './pipeline/index.js';
import { AuditTrail, SecretVault } from './ports/index.js';
import { provide } from './provide.js';
import { Telemetry } from './telemetry/telemetry.js';

type Options = ResolvedDataSinksOptions;

/** What follows an attempt, what is tried once more, and what is removed in the end. */
export const aftermath: readonly Provider[] = [
  provide(
    SettledDeliveries,
    [DomainEvents, AutoDisable, SinkPauses, Telemetry, DeliveryParts, DATABASE, OPTIONS],
    (
      events: DomainEvents,
      autoDisable: AutoDisable,
      pauses: SinkPauses,
      telemetry: Telemetry,
      parts: DeliveryParts,
      { manager }: DataSource,
      { erasePayloadsOnSuccess }: Options,
    ) => new SettledDeliveries(events, autoDisable, pauses, telemetry, parts, manager, erasePayloadsOnSuccess),
  ),
  provide(
    DeliveryParts,
    [DATABASE, Wakeup, DomainEvents, Telemetry],
    ({ manager }: DataSource, wakeup: Wakeup, events: DomainEvents, telemetry: Telemetry) =>
      new DeliveryParts(manager, wakeup, events, telemetry),
  ),
  provide(
    AutoDisable,
    [SESSION, AuditTrail, DomainEvents, Telemetry, OPTIONS],
    (session: Database, audit: AuditTrail, events: DomainEvents, telemetry: Telemetry, options: Options) =>
      new AutoDisable(session, audit, events, telemetry, {
        failures: options.disableAfter,
        withinMs: options.disableWithinMs,
      }),
  ),
  provide(
    SinkPauses,
    [SESSION, Wakeup, OPTIONS],
    (session: Database, wakeup: Wakeup, { pauseAfter, pauseMs, longestPauseMs }: Options) =>
      new SinkPauses(session, wakeup, { failures: pauseAfter, pauseMs, longestMs: longestPauseMs }),
  ),
  provide(
    DomainEvents,
    [{ token: EventEmitter2, optional: true }],
    (emitter: EventEmitter2 | undefined) => new DomainEvents(emitter),
  ),
  provide(
    SecretOverlaps,
    [DATABASE, Transactions, SecretVault, AuditTrail, DomainEvents, OPTIONS],
    (
      { manager }: DataSource,
      transactions: Transactions,
      vault: SecretVault,
      audit: AuditTrail,
      events: DomainEvents,
      { secretExpiringNoticeMs }: Options,
    ) => new SecretOverlaps(manager, transactions, vault, audit, events, secretExpiringNoticeMs),
  ),
  provide(
    RecoveryPacer,
    [DATABASE, DeliveryGate, AuditTrail, Wakeup, OPTIONS],
    ({ manager }: DataSource, gate: DeliveryGate, audit: AuditTrail, wakeup: Wakeup, options: Options) =>
      new RecoveryPacer(manager, gate, audit, wakeup, options),
  ),
  provide(
    Housekeeping,
    [DATABASE, PayloadStore, SecretVault, Retention],
    ({ manager }: DataSource, payloads: PayloadStore, vault: SecretVault, retention: Retention) =>
      new Housekeeping(manager, payloads, vault, retention),
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
