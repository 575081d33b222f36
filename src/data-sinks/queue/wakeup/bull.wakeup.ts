import type { OnApplicationShutdown } from '@nestjs/common';
import type { AdvancedSettings, JobOptions, Queue } from 'bull';
import type { Outage } from '../../telemetry/outage.js';
import type { Outages } from '../../telemetry/outages.js';
import { inOwnContext } from '../../tools/own-context.js';
import { InProcessWakeup } from './in-process.wakeup.js';
import { closeWithin, handleQueueErrors, handleWaitingErrors } from './bull-errors.js';
import { Wakeup } from './wakeup.js';
import { within } from '../../tools/within.js';

/** Names of queue and job must not contain ":", which separates Bull's keys. */
export const WAKEUP_QUEUE = 'data-sinks-wakeup';
/** Braces put all keys of the queue into one slot of a Redis Cluster. */
export const WAKEUP_PREFIX = '{data-sinks}';
const JOB = 'wake';

/** Delay before a failed command is retried, at the latest. */
const RETRY_WITHIN_MS = 2_000;
/** The outage is over when nothing has failed for this long. */
const QUIET_MS = 2 * RETRY_WITHIN_MS;
/** Interval of the check whether it is over. */
const CHECK_EVERY_MS = 1_000;

/** Reconnects for ever; also when a failover has turned the server into a replica. */
export const RECONNECT = {
  retryStrategy: (times: number): number => Math.min(50 * 2 ** Math.min(times, 10), RETRY_WITHIN_MS),
  reconnectOnError: (error: Error): boolean => error.message.includes('READONLY'),
} as const;

export const WAKEUP_SETTINGS: AdvancedSettings = {
  retryProcessDelay: 1_000,
  guardInterval: RETRY_WITHIN_MS,
  stalledInterval: RETRY_WITHIN_MS,
};

/** Minimum time between wake-ups sent to Redis; wake-ups in between are merged into one at the end. */
const PUBLISH_EVERY_MS = 100;
const BUCKET_MS = 1_000;
/** Shutdown waits for Redis at most this long. */
const STOP_WITHIN_MS = 1_000;

const SPENT: JobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 };

/**
 * Wake-ups for several processes. A job in Redis only says *that* something is due. This process wakes itself without
 * Redis; jobs wake the others.
 *
 * Jobs are deduplicated by id, and Bull drops a job whose id is still being processed. That must not lose a wake-up,
 * since the worker may already have looked. So the id contains a generation that a worker increments *before* it looks:
 * a row committed before the old generation was read is found by that look; a reader of the new generation adds a job.
 *
 * A Redis that refuses some commands still answers others, such as reads under READONLY or OOM. So an outage ends only
 * when every command that wake-ups need has succeeded and nothing has failed for a while.
 */
export class BullWakeup extends Wakeup implements OnApplicationShutdown {
  readonly #outage: Outage;
  readonly #local = new InProcessWakeup();
  readonly #queue: Queue;
  readonly #buckets = new Set<number>();
  /** Waits for jobs; null if no worker runs in this process. */
  #waiting: Queue['client'] | null = null;
  /** Whether a worker runs in this process. */
  #works = false;
  #publishing = false;
  #publishAgain = false;
  #failedAt = 0;
  #check: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(queue: Queue, outages: Outages) {
    super();
    this.#queue = queue;
    this.#outage = outages.of('redis');
    handleQueueErrors(queue, (error) => this.#failed(error));
  }

  override async start(onWake: () => void): Promise<void> {
    await this.#local.start(onWake);
    this.#works = true;
    this.#waiting = handleWaitingErrors(this.#queue, (error) => this.#failed(error));
    const processing = this.#queue.process(JOB, async () => {
      try {
        await this.#queue.client.incr(this.#generationKey());
      } catch (error) {
        this.#failed(error);
      }
      this.#local.notify();
    });
    processing.catch((error: unknown) => this.#failed(error));
  }

  /** This process's worker is woken directly; Redis wakes others if more is due than it takes. */
  override notify(): void {
    if (this.#works) this.#local.notify();
    else this.notifyOthers();
  }

  override reachesOthers(): boolean {
    return this.#outage.open === null && this.#queue.client.status === 'ready';
  }

  override notifyOthers(): void {
    if (this.#publishing) this.#publishAgain = true;
    else void inOwnContext(() => this.#publish());
  }

  override notifyIn(milliseconds: number): void {
    this.#local.notifyIn(milliseconds);
    // In case this process is gone by then: one job for everything due in the same second.
    const bucket = Math.ceil((Date.now() + milliseconds) / BUCKET_MS);
    if (this.#buckets.has(bucket)) return;
    this.#buckets.add(bucket);
    const delay = Math.max(bucket * BUCKET_MS - Date.now(), 0);
    inOwnContext(() => {
      setTimeout(() => this.#buckets.delete(bucket), delay).unref();
      void this.#quietly(() => this.#add({ jobId: `at-${bucket}`, delay }));
    });
  }

  override async stop(): Promise<void> {
    this.#works = false;
    await this.#local.stop();
    await within(this.#queue.pause(true, true), STOP_WITHIN_MS, 'Redis').catch(() => undefined);
  }

  /** Closed after the worker, since deliveries that it releases wake others. */
  async onApplicationShutdown(): Promise<void> {
    this.#closed = true;
    if (this.#check) clearTimeout(this.#check);
    await closeWithin(this.#queue, STOP_WITHIN_MS);
  }

  async #publish(): Promise<void> {
    this.#publishing = true;
    do {
      this.#publishAgain = false;
      const pause = new Promise((resolve) => setTimeout(resolve, PUBLISH_EVERY_MS).unref());
      await this.#quietly(async () => this.#wake(await this.#queue.client.get(this.#generationKey())));
      await pause;
    } while (this.#publishAgain);
    this.#publishing = false;
  }

  async #wake(generation: string | number | null): Promise<void> {
    await this.#add({ jobId: `now-${generation ?? 0}` });
  }

  async #add(options: JobOptions): Promise<void> {
    await this.#queue.add(JOB, {}, { ...SPENT, ...options });
  }

  /** While Redis is unavailable nothing is sent: others poll, and are woken when it is back. */
  async #quietly(send: () => Promise<void>): Promise<void> {
    if (this.#outage.open) return;
    try {
      await send();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    this.#failedAt = performance.now();
    this.#outage.report(error);
    this.#check ??= setTimeout(() => void this.#isOver(), CHECK_EVERY_MS).unref();
  }

  /** Performs every command of a wake-up, as sender and as worker; the job wakes processes that missed one. */
  async #isOver(): Promise<void> {
    const begunAt = performance.now();
    try {
      await this.#wake(await this.#queue.client.incr(this.#generationKey()));
      const isConnected = this.#waiting === null || this.#waiting.status === 'ready';
      if (isConnected && this.#failedAt + QUIET_MS <= begunAt) this.#outage.over();
    } catch (error) {
      this.#failed(error);
    }
    this.#check =
      this.#outage.open && !this.#closed ? setTimeout(() => void this.#isOver(), CHECK_EVERY_MS).unref() : null;
  }

  #generationKey(): string {
    return this.#queue.toKey('generation');
  }
}
