import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type BeforeApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { HOST_SECRET_VAULT, OPTIONS } from './data-sinks.tokens.js';
import type { ResolvedDataSinksOptions } from './data-sinks.options.js';
import { Database } from './database/database.js';
import { checkEntities } from './database/check-entities.js';
import { Destinations } from './destinations/destinations.js';
import { PushClient } from './egress/index.js';
import { pendingMigrations } from './database/pending-migrations.js';
import { BodyThreadClient } from './payload/body-thread-client.js';
import { BoundedQuestion } from './database/bounded-question.js';
import { outliveConnectionErrors } from './database/connection-errors.js';
import { queueState } from './queue/queue-state.sql.js';
import { within } from './tools/within.js';
import { Upkeep } from './upkeep/upkeep.js';
import { DeliveryWorker } from './delivery/delivery-worker.js';
import { JobCompletedListener } from './intake/job-completed.listener.js';
import { AuditOutbox } from './settlement/audit-outbox.js';
import { Telemetry } from './telemetry/telemetry.js';
import { inOwnContext } from './tools/own-context.js';
import { EventLog } from './tools/event-log.js';
import { DataSinksHealth } from './data-sinks.health.js';
import { OwnFailureRelease } from './queue/own-failure-release.js';
import { WorkerPresence } from './queue/worker-presence.js';
import { Outages } from './telemetry/outages.js';
import { DatabaseSecretVault } from './vault/database-secret-vault.js';

/** It reads a few secrets. */
const KEYS_WITHIN_MS = 10_000;

/** Starts background work after the host has started, and stops it before the host closes its database. */
@Injectable()
export class DataSinksRuntime implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new EventLog();
  #stopListening: (() => Promise<void>) | null = null;
  #stopWatching: (() => void) | null = null;
  #stopping = false;

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
    @Optional() @Inject(EventEmitter2) private readonly emitter: EventEmitter2 | undefined,
    private readonly listener: JobCompletedListener,
    private readonly worker: DeliveryWorker,
    private readonly upkeep: Upkeep,
    private readonly outbox: AuditOutbox,
    private readonly destinations: Destinations,
    private readonly client: PushClient,
    private readonly bodyThread: BodyThreadClient,
    private readonly telemetry: Telemetry,
    private readonly database: Database,
    private readonly health: DataSinksHealth,
    private readonly presence: WorkerPresence,
    private readonly ownFailures: OwnFailureRelease,
    private readonly outages: Outages,
    @Inject(HOST_SECRET_VAULT) private readonly vault: object,
  ) {}

  /** Background work runs outside the boot's async context, e.g. its tracing span. */
  onApplicationBootstrap(): Promise<void> {
    return inOwnContext(() => this.#start());
  }

  async #start(): Promise<void> {
    checkEntities(this.database.dataSource);
    outliveConnectionErrors(this.database.dataSource);
    // Not awaited: a brief outage of the database does not delay the boot.
    void this.#tellOfPendingMigrations();
    if (this.emitter) this.#stopListening = this.listener.listen(this.emitter);
    this.telemetry.beginAtZero(this.destinations.types);
    // A database that is slow must not keep the other figures from being shown.
    const { maxInFlightPerSink: inFlightPerSink, maxInFlightPerWorkspace: inFlightPerWorkspace } = this.options;
    const limits = { inFlightPerSink, inFlightPerWorkspace };
    const queue = new BoundedQuestion(() => queueState(this.database, limits));
    this.#stopWatching = this.telemetry.watch({
      queue: () => queue.answer(),
      standing: () => this.health.standing(),
      nowMs: () => performance.now(),
    });
    if (!this.options.worker) return;
    await Promise.all([this.upkeep.makePartitions(), this.#tellOfMissingKeys()]);
    // A host that was told to stop meanwhile must not start anything.
    if (this.#stopping) return;
    await this.presence.start();
    await this.worker.start();
    this.ownFailures.start();
    this.upkeep.start();
  }

  /** Without this check, errors would only name a missing table. */
  async #tellOfPendingMigrations(): Promise<void> {
    const pending = await pendingMigrations(this.database).catch(() => []);
    if (pending === null) {
      const todo = 'grant SELECT on the table of migrations to the role (docs/database.md)';
      return this.#logger.warn({
        event: 'migrations.unknown',
        message: 'whether migrations are pending cannot be found out',
        todo,
      });
    }
    if (pending.length === 0) return;
    const todo = 'run them: dataSinksMigrations in the "migrations" of the DataSource, with migrationsRun or the CLI';
    this.#logger.error({
      event: 'migrations.pending',
      message: `${pending.length} migrations of the module have not been run on this database`,
      ...{ pending, todo },
    });
  }

  /** Of the module's own vault: with keys that open nothing no delivery is signed, and the first would be the one to tell. */
  async #tellOfMissingKeys(): Promise<void> {
    if (!(this.vault instanceof DatabaseSecretVault)) return;
    // A database that is away is told by others.
    const check = await within(this.vault.checkKeys(), KEYS_WITHIN_MS, 'the database').catch(() => null);
    if (!check || check.unreadable.length === 0) return;
    const keyIds = check.unreadable;
    const todo =
      'set VAULT_KEYS to all keys that secrets are sealed with, the one that encrypts first (docs/operations.md)';
    if (check.readable.length === 0) {
      const error = Object.assign(new Error(`no secret under ${keyIds.join(', ')} can be opened`), {
        code: 'secret_unavailable',
      });
      return this.outages.of('vault').report(error, { fields: { keyIds, todo } });
    }
    this.#logger.error({
      event: 'vault.keys_missing',
      message: `secrets under ${keyIds.join(', ')} cannot be opened: the key is missing, or another one has its id`,
      ...{ keyIds, todo },
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    this.#stopWatching?.();
    const { worker, shutdownGraceMs } = this.options;
    // What takes longer goes on by itself.
    const atMost = (work: Promise<void>) => within(work, shutdownGraceMs, 'what stops').catch(() => undefined);
    // Concurrently, so that the worker stops claiming at once whatever the others wait for.
    await Promise.all([
      worker && this.worker.stop(),
      worker && atMost(this.ownFailures.stop()),
      worker && atMost(this.upkeep.stop()),
      this.#stopListening && atMost(this.#stopListening()),
    ]);
    // After the worker, with the last ends.
    if (worker) await atMost(this.outbox.stop());
    if (worker) await this.presence.stop();
    await this.destinations.close();
    await this.client.close();
    await this.bodyThread.close();
  }
}
