import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type BeforeApplicationShutdown,
  Optional,
} from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { DataSource } from 'typeorm';
import { DATABASE, OPTIONS } from './data-sinks.tokens.js';
import type { ResolvedDataSinksOptions } from './data-sinks.options.js';
import { PushClient } from './egress/index.js';
import { BodyPress } from './payload/body-press.js';
import { BoundedQuestion } from './persistence/bounded-question.js';
import { outliveConnectionErrors } from './persistence/connection-errors.js';
import { queueState } from './persistence/queue-state.js';
import { DeliverySweeper, DeliveryWorker, JobCompletedListener, RecoveryPacer } from './pipeline/index.js';
import { Telemetry } from './telemetry/telemetry.js';

/** Starts what runs by itself when the host has started, and stops it before the host takes its database away. */
@Injectable()
export class DataSinksRuntime implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #stopListening: (() => Promise<void>) | null = null;
  #stopWatching: (() => void) | null = null;

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
    @Optional() @Inject(EventEmitter2) private readonly emitter: EventEmitter2 | undefined,
    private readonly listener: JobCompletedListener,
    private readonly worker: DeliveryWorker,
    private readonly sweeper: DeliverySweeper,
    private readonly recoveries: RecoveryPacer,
    private readonly client: PushClient,
    private readonly press: BodyPress,
    private readonly telemetry: Telemetry,
    @Inject(DATABASE) private readonly database: DataSource,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    outliveConnectionErrors(this.database);
    if (this.emitter) this.#stopListening = this.listener.listen(this.emitter);
    // Whoever collects has all other figures to show.
    const queue = new BoundedQuestion(() => queueState(this.database.manager));
    this.#stopWatching = this.telemetry.watchQueue(
      () => queue.answer(),
      () => performance.now(),
    );
    if (!this.options.worker) return;
    await this.worker.start();
    this.sweeper.start();
    this.recoveries.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopWatching?.();
    await this.#stopListening?.();
    if (this.options.worker) {
      await this.recoveries.stop();
      await this.sweeper.stop();
      await this.worker.stop();
    }
    await this.client.close();
    await this.press.close();
  }
}
