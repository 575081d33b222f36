import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type BeforeApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { DataSource } from 'typeorm';
import { DATABASE, OPTIONS } from './data-sinks.tokens.js';
import type { ResolvedDataSinksOptions } from './data-sinks.options.js';
import { checkEntities } from './data-sinks.structure.js';
import { PushClient } from './egress/index.js';
import { pendingMigrations } from './pending-migrations.js';
import { BodyPress } from './payload/body-press.js';
import { BoundedQuestion } from './persistence/bounded-question.js';
import { outliveConnectionErrors } from './persistence/connection-errors.js';
import { queueState } from './persistence/queue-state.js';
import { atMost } from './pipeline/at-most.js';
import {
  DeliverySweeper,
  DeliveryWorker,
  Housekeeping,
  JobCompletedListener,
  RecoveryPacer,
} from './pipeline/index.js';
import { Telemetry } from './telemetry/telemetry.js';

/** Starts what runs by itself when the host has started, and stops it before the host takes its database away. */
@Injectable()
export class DataSinksRuntime implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('DataSinks');
  #stopListening: (() => Promise<void>) | null = null;
  #stopWatching: (() => void) | null = null;
  #stopping = false;

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
    @Optional() @Inject(EventEmitter2) private readonly emitter: EventEmitter2 | undefined,
    private readonly listener: JobCompletedListener,
    private readonly worker: DeliveryWorker,
    private readonly housekeeping: Housekeeping,
    private readonly sweeper: DeliverySweeper,
    private readonly recoveries: RecoveryPacer,
    private readonly client: PushClient,
    private readonly press: BodyPress,
    private readonly telemetry: Telemetry,
    @Inject(DATABASE) private readonly database: DataSource,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    checkEntities(this.database);
    outliveConnectionErrors(this.database);
    // Not waited for: a database that is away for a moment does not hold up the boot.
    void this.#tellOfPendingMigrations();
    if (this.emitter) this.#stopListening = this.listener.listen(this.emitter);
    // Whoever collects has all other figures to show.
    const queue = new BoundedQuestion(() => queueState(this.database.manager));
    this.#stopWatching = this.telemetry.watchQueue(
      () => queue.answer(),
      () => performance.now(),
    );
    if (!this.options.worker) return;
    await this.housekeeping.makePartitions();
    // A host that was told to stop meanwhile has stopped what would be started now.
    if (this.#stopping) return;
    await this.worker.start();
    this.sweeper.start();
    this.recoveries.start();
  }

  /** What fails without them says only which table is not there. */
  async #tellOfPendingMigrations(): Promise<void> {
    const pending = await pendingMigrations(this.database).catch(() => []);
    if (pending.length === 0) return;
    const todo = 'run them: dataSinksMigrations in the "migrations" of the DataSource, with migrationsRun or the CLI';
    this.#logger.error({ event: 'migrations.pending', pending, todo });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping = true;
    this.#stopWatching?.();
    const { worker, shutdownGraceMs } = this.options;
    // All at the same time: whatever one waits for, the worker claims nothing from now on.
    await Promise.all([
      worker && this.worker.stop(),
      worker && atMost(shutdownGraceMs, this.sweeper.stop()),
      worker && atMost(shutdownGraceMs, this.recoveries.stop()),
      this.#stopListening && atMost(shutdownGraceMs, this.#stopListening()),
    ]);
    await this.client.close();
    await this.press.close();
  }
}
