import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import { Database } from '../database/database.js';
import type { Outage } from '../telemetry/outage.js';
import { Outages } from '../telemetry/outages.js';
import { within } from '../tools/within.js';
import { ThisWorker } from './this-worker.js';
import { GONE_AFTER_MS, removeWorker, seeWorker, type WorkerProcess } from './workers.sql.js';

const HEARTBEAT_MS = 2_000;
/** Nobody waits longer for a heartbeat; the next one goes over another connection. */
const ANSWER_MS = 3_000;

/**
 * Says every two seconds that this worker is alive. The statement writes, so it also finds out, when nothing is due, that
 * the database takes no writes.
 */
@Injectable()
export class WorkerPresence {
  readonly #process: WorkerProcess;
  readonly #outage: Outage;
  #heartbeat: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;
  /** Start of the current series of heartbeats without a failure or a gap. */
  #steadySince = Number.POSITIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly database: Database,
    outages: Outages,
    { id }: ThisWorker,
    @Inject(OPTIONS) { workerId: name }: ResolvedDataSinksOptions,
  ) {
    this.#process = { id, name };
    this.#outage = outages.of('workers');
  }

  /** Never throws. @returns when the database has heard of this worker, or has not answered */
  start(): Promise<void> {
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    return this.#beat();
  }

  /** Never throws: a row that stays is seen to be old. */
  async stop(): Promise<void> {
    if (this.#heartbeat) clearInterval(this.#heartbeat);
    await this.#underWay;
    await within(removeWorker(this.database.withinLease(), this.#process.id), ANSWER_MS, 'the database').catch(
      () => undefined,
    );
  }

  /**
   * True after 8 seconds of heartbeats without a failure or a gap. By then every living worker has sent a heartbeat since
   * the last outage of the database; before that, no worker may be declared gone.
   */
  get isSteady(): boolean {
    const now = performance.now();
    // A process that was paused had no heartbeats either.
    return now - this.#steadySince > GONE_AFTER_MS && now - this.#answeredAt < GONE_AFTER_MS;
  }

  /** One at a time: while the database is silent, each more would take one more connection. */
  #beat(): Promise<void> {
    return (this.#underWay ??= this.#see().finally(() => (this.#underWay = null)));
  }

  async #see(): Promise<void> {
    const begunAt = this.#outage.mark();
    try {
      await within(seeWorker(this.database.withinLease(), this.#process), ANSWER_MS, 'the database');
      const wasPaused = begunAt - this.#answeredAt > GONE_AFTER_MS;
      this.#steadySince = wasPaused ? begunAt : Math.min(this.#steadySince, begunAt);
      this.#answeredAt = performance.now();
      this.#outage.over('', begunAt);
    } catch (error) {
      this.#steadySince = Number.POSITIVE_INFINITY;
      this.#outage.report(error);
    }
  }
}
