import { Inject, Injectable, type OnApplicationBootstrap, type BeforeApplicationShutdown, Optional } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { OPTIONS } from './data-sinks.tokens.js';
import type { ResolvedDataSinksOptions } from './data-sinks.options.js';
import { PushClient } from './egress/index.js';
import { DeliverySweeper, DeliveryWorker, JobCompletedListener } from './pipeline/index.js';

/** Starts what runs by itself when the host has started, and stops it before the host takes its database away. */
@Injectable()
export class DataSinksRuntime implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #stopListening: (() => Promise<void>) | null = null;

  constructor(
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
    @Optional() @Inject(EventEmitter2) private readonly emitter: EventEmitter2 | undefined,
    private readonly listener: JobCompletedListener,
    private readonly worker: DeliveryWorker,
    private readonly sweeper: DeliverySweeper,
    private readonly client: PushClient,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.emitter) this.#stopListening = this.listener.listen(this.emitter);
    if (!this.options.worker) return;
    await this.worker.start();
    this.sweeper.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#stopListening?.();
    if (this.options.worker) {
      await this.sweeper.stop();
      await this.worker.stop();
    }
    await this.client.close();
  }
}
