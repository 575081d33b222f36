import { randomBytes } from 'node:crypto';
import type { Provider } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { createIdFactory, type IdFactory } from './core/ids.js';
import { createNetworkPolicy, type NetworkPolicy } from './core/network-policy.js';
import { aftermath } from './data-sinks-aftermath.providers.js';
import { persistence } from './data-sinks-persistence.providers.js';
import { DataSinksHealth } from './data-sinks-health.js';
import { DataSinksRuntime } from './data-sinks-runtime.js';
import { DataSinks } from './data-sinks.js';
import { type DataSinksOptions, type ResolvedDataSinksOptions, resolveOptions } from './data-sinks.options.js';
import {
  DATABASE,
  GIVEN_OPTIONS,
  NETWORK_POLICY,
  NEW_ID,
  OPTIONS,
  SESSION,
  WORKER_SESSION,
} from './data-sinks.tokens.js';
import { PushClient } from './egress/index.js';
import { PayloadBodies } from './payload/payload-bodies.js';
import { BodyPress } from './payload/body-press.js';
import { PayloadBuilder } from './payload/payload-builder.js';
import { PayloadStore } from './payload/payload-store.js';
import { CommitWatch } from './persistence/commit-watch.js';
import { type Database, databaseNowMs } from './persistence/database.js';
import { DataSinkRepository } from './persistence/data-sink.repository.js';
import { DatabaseAuditTrail } from './persistence/database-audit-trail.js';
import { Transactions } from './persistence/transactions.js';
import {
  AttemptRecorder,
  DeliveryAttempt,
  DeliveryGate,
  DeliveryParts,
  DeliveryRecorder,
  DeliverySweeper,
  DeliveryWorker,
  Housekeeping,
  JobCompletedListener,
  MissedCompletions,
  PunctualResults,
  PushSigner,
  SecretOverlaps,
  ServerClock,
  SettledDeliveries,
  Wakeup,
} from './pipeline/index.js';
import { AgentDirectory, AuditTrail, MappingResults, SecretVault, WorkspacePlans } from './ports/index.js';
import { provide } from './provide.js';
import { activeTraceContext } from './telemetry/active-trace.js';
import { Telemetry } from './telemetry/telemetry.js';
import { USER_AGENT, VERSION } from './version.js';
import { DatabaseSecretVault } from './vault/database-secret-vault.js';
import { parseKeyRing } from './vault/key-ring.js';

type Options = ResolvedDataSinksOptions;

const foundations: Provider[] = [
  provide(OPTIONS, [GIVEN_OPTIONS], (given: DataSinksOptions) => resolveOptions(given)),
  provide(NEW_ID, [], () => createIdFactory(Date.now, randomBytes)),
  provide(Telemetry, [OPTIONS], (options: Options) => new Telemetry(VERSION, options)),
  provide(ServerClock, [], () => new ServerClock(Date.now)),
  provide(NETWORK_POLICY, [OPTIONS], ({ allowPrivateEndpoints }: Options) =>
    createNetworkPolicy({ privateRanges: allowPrivateEndpoints }),
  ),
];

/** In the order things happen: `pipeline/index.ts` tells the story. */
const pipeline: Provider[] = [
  provide(JobCompletedListener, [DeliveryRecorder], (recorder: DeliveryRecorder) => new JobCompletedListener(recorder)),
  provide(
    DeliveryRecorder,
    [SESSION, DataSinkRepository, AgentDirectory, Wakeup, CommitWatch, NEW_ID],
    (
      session: Database,
      sinks: DataSinkRepository,
      agents: AgentDirectory,
      wakeup: Wakeup,
      commits: CommitWatch,
      newId: IdFactory,
    ) => new DeliveryRecorder(session, sinks, agents, wakeup, commits, newId, activeTraceContext),
  ),
  provide(
    DeliveryWorker,
    [WORKER_SESSION, DeliveryGate, DeliveryAttempt, Wakeup, ServerClock, SettledDeliveries, Telemetry, OPTIONS],
    (
      session: Database,
      gate: DeliveryGate,
      attempt: DeliveryAttempt,
      wakeup: Wakeup,
      clock: ServerClock,
      settled: SettledDeliveries,
      telemetry: Telemetry,
      options: Options,
    ) =>
      new DeliveryWorker(session, gate, attempt, wakeup, clock, settled, telemetry, {
        ...options,
        random: Math.random,
      }),
  ),
  provide(
    DeliveryGate,
    [AgentDirectory, WorkspacePlans, OPTIONS],
    (agents: AgentDirectory, plans: WorkspacePlans, { entitledPlans }: Options) =>
      new DeliveryGate(agents, plans, entitledPlans),
  ),
  provide(
    DeliveryAttempt,
    [DeliveryParts, PayloadBodies, PushSigner, PushClient, AttemptRecorder, NEW_ID, Telemetry, OPTIONS],
    (
      parts: DeliveryParts,
      bodies: PayloadBodies,
      signer: PushSigner,
      client: PushClient,
      recorder: AttemptRecorder,
      newId: IdFactory,
      telemetry: Telemetry,
      { retryWaitsMs }: Options,
    ) =>
      new DeliveryAttempt(parts, bodies, signer, client, recorder, newId, telemetry, {
        retryWaitsMs,
        random: Math.random,
      }),
  ),
  provide(
    PayloadBodies,
    [MappingResults, PayloadStore, BodyPress, NEW_ID, Telemetry, OPTIONS],
    (
      results: MappingResults,
      store: PayloadStore,
      press: BodyPress,
      newId: IdFactory,
      telemetry: Telemetry,
      { payloadCacheBytes }: Options,
    ) => {
      const builder = new PayloadBuilder(new PunctualResults(results), store, newId, press);
      return new PayloadBodies(builder, store, payloadCacheBytes, telemetry);
    },
  ),
  provide(BodyPress, [], () => new BodyPress()),
  provide(
    PushSigner,
    [SecretVault, ServerClock],
    (vault: SecretVault, clock: ServerClock) => new PushSigner(vault, () => clock.now()),
  ),
  provide(
    PushClient,
    [NETWORK_POLICY, OPTIONS],
    (policy: NetworkPolicy, { resolver, deadlines, allowedPorts, trustedCertificates: ca, maxInFlight }: Options) =>
      new PushClient({
        ...{ policy, userAgent: USER_AGENT, allowedPorts, deadlines, ca },
        // Several sinks may share a host: its connections are kept for as many as can be in flight.
        connectionsPerOrigin: maxInFlight,
        ...(resolver && { resolver }),
      }),
  ),
  provide(
    AttemptRecorder,
    [WORKER_SESSION, Transactions, AuditTrail, SettledDeliveries, OPTIONS],
    (
      session: Database,
      transactions: Transactions,
      audit: AuditTrail,
      settled: SettledDeliveries,
      { workerId, leaseMs }: Options,
    ) => new AttemptRecorder(session, transactions, audit, settled, { workerId, keepTryingMs: leaseMs }),
  ),
  provide(
    MissedCompletions,
    [DATABASE, MappingResults, DeliveryRecorder, OPTIONS],
    ({ manager }: DataSource, results: MappingResults, recorder: DeliveryRecorder, { missedCompletionsMs }: Options) =>
      new MissedCompletions(manager, results, recorder, () => databaseNowMs(manager), missedCompletionsMs),
  ),
  provide(
    DeliverySweeper,
    [
      ...[DATABASE, Wakeup, MissedCompletions, SettledDeliveries, SecretOverlaps, DeliveryParts, Housekeeping],
      ...[Telemetry, OPTIONS],
    ],
    (
      { manager }: DataSource,
      wakeup: Wakeup,
      missed: MissedCompletions,
      settled: SettledDeliveries,
      overlaps: SecretOverlaps,
      parts: DeliveryParts,
      housekeeping: Housekeeping,
      telemetry: Telemetry,
      { sweepMs, maxAbandoned }: Options,
    ) =>
      new DeliverySweeper(manager, wakeup, missed, settled, overlaps, parts, housekeeping, telemetry, {
        everyMs: sweepMs,
        maxAbandoned,
      }),
  ),
];

const host: Provider[] = [DataSinks, DataSinksHealth, DataSinksRuntime];

/** What the module provides beside the ports that the host binds and the wake-up that it chooses. */
export const coreProviders: readonly Provider[] = [...foundations, ...persistence, ...pipeline, ...aftermath, ...host];

/** The two ports that have a default: the module's own tables. */
export const defaultSecretVault = provide(
  SecretVault,
  [SESSION, OPTIONS],
  (session: Database, { vaultKeys }: Options) =>
    new DatabaseSecretVault(session, parseKeyRing(vaultKeys, 'the option vaultKeys'), randomBytes),
);

export const defaultAuditTrail = provide(
  AuditTrail,
  [SESSION, NEW_ID],
  (session: Database, newId: IdFactory) => new DatabaseAuditTrail(session, newId),
);
