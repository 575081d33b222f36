import { Logger } from '@nestjs/common';
import type { JobOptions, Queue } from 'bull';
import { OutageLog } from '../core/outage-log.js';
import { InProcessWakeup } from './in-process.wakeup.js';
import { Wakeup } from './wakeup.js';

/** Names of queue and job hold no ":", which Bull's keys are split by. */
export const WAKEUP_QUEUE = 'data-sinks-wakeup';
/** In braces: all keys of the queue share one slot of a Redis Cluster. */
export const WAKEUP_PREFIX = '{data-sinks}';
const JOB = 'wake';

/** At most one wake-up in so long goes to Redis; those in between are one, sent at the end. */
const PUBLISH_EVERY_MS = 100;
const BUCKET_MS = 1_000;
/** Nobody waits for Redis at shutdown longer than this. */
const STOP_WITHIN_MS = 1_000;

const SPENT: JobOptions = { removeOnComplete: true, removeOnFail: true, attempts: 1 };

/**
 * Wake-ups for several processes. A job in Redis says only *that* something is due. This process wakes itself without
 * Redis; the jobs are for the others.
 *
 * Jobs are deduplicated by their id, and Bull drops a job whose id is still being worked on, which must not swallow a
 * wake-up: the worker may have looked already. So the id carries a generation that a worker raises *before* it looks.
 * Whoever commits a row and then reads the old generation is seen by that look; whoever reads the new one adds a new job.
 */
export class BullWakeup extends Wakeup {
  readonly #outages = new OutageLog(new Logger('DataSinks'), 'redis');
  readonly #local = new InProcessWakeup();
  readonly #queue: Queue;
  readonly #buckets = new Set<number>();
  /** Whether a worker runs in this process. */
  #works = false;
  #publishing = false;
  #publishAgain = false;

  constructor(queue: Queue) {
    super();
    this.#queue = queue;
    // An unheard 'error' event would end the process.
    queue.on('error', (error) => this.#outages.report(error));
  }

  override async start(onWake: () => void): Promise<void> {
    await this.#local.start(onWake);
    this.#works = true;
    const processing = this.#queue.process(JOB, async () => {
      const begunAt = this.#outages.mark();
      await this.#queue.client.incr(this.#generationKey());
      this.#outages.over(begunAt);
      this.#local.notify();
    });
    processing.catch((error: unknown) => this.#outages.report(error));
    // Nothing may be sent to Redis for hours: that it is back is said when it is.
    this.#queue.client.on('ready', () => this.#outages.over());
  }

  /** The worker of this process asks nobody: Redis is for the others, when there is more than it takes. */
  override notify(): void {
    if (this.#works) this.#local.notify();
    else this.notifyOthers();
  }

  override reachesOthers(): boolean {
    return this.#queue.client.status === 'ready';
  }

  override notifyOthers(): void {
    if (this.#publishing) this.#publishAgain = true;
    else void this.#publish();
  }

  override notifyIn(milliseconds: number): void {
    this.#local.notifyIn(milliseconds);
    // For the case that this process is gone by then: one job for all that is due in the same second.
    const bucket = Math.ceil((Date.now() + milliseconds) / BUCKET_MS);
    if (this.#buckets.has(bucket)) return;
    this.#buckets.add(bucket);
    const delay = Math.max(bucket * BUCKET_MS - Date.now(), 0);
    setTimeout(() => this.#buckets.delete(bucket), delay).unref();
    void this.#add({ jobId: `at-${bucket}`, delay });
  }

  override async stop(): Promise<void> {
    this.#works = false;
    await this.#local.stop();
    const paused = this.#queue.pause(true, true).catch(() => undefined);
    await Promise.race([paused, new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref())]);
  }

  async #publish(): Promise<void> {
    this.#publishing = true;
    do {
      this.#publishAgain = false;
      const pause = new Promise((resolve) => setTimeout(resolve, PUBLISH_EVERY_MS).unref());
      try {
        const generation = await this.#queue.client.get(this.#generationKey());
        await this.#add({ jobId: `now-${generation ?? 0}` });
      } catch (error) {
        this.#outages.report(error);
      }
      await pause;
    } while (this.#publishAgain);
    this.#publishing = false;
  }

  async #add(options: JobOptions): Promise<void> {
    const begunAt = this.#outages.mark();
    try {
      await this.#queue.add(JOB, {}, { ...SPENT, ...options });
      this.#outages.over(begunAt);
    } catch (error) {
      this.#outages.report(error);
    }
  }

  #generationKey(): string {
    return this.#queue.toKey('generation');
  }
}
