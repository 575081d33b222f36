import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import type { StopSignal } from '../tools/cancellation.js';
import { expirePayloads } from '../payload/payload-expiry.js';
import { Database } from '../database/database.js';
import {
  removeExpired,
  removeExpiredAttemptPartitions,
  removeExpiredCompletions,
  removeStrayAttempts,
} from './retention.sql.js';
import { PartitionError } from './partition-error.js';
import { EventLog } from '../tools/event-log.js';
import { Job } from '../tools/schedule.js';
import { Outages } from '../telemetry/outages.js';

/** What one run deleted. */
interface Removed {
  payloads: number;
  bytes: number;
  partitions: readonly string[];
  attempts: number;
  deliveries: number;
  recoveries: number;
  completions: number;
}

/**
 * Applies retention: body bytes are deleted first, then attempts, then deliveries with their recoveries and
 * completions. The audit trail is kept.
 */
@Injectable()
export class Retention {
  readonly #logger = new EventLog();
  readonly #steps: readonly Job[];
  #removed = nothing();

  constructor(
    private readonly database: Database,
    private readonly outages: Outages,
    @Inject(OPTIONS) options: ResolvedDataSinksOptions,
  ) {
    const { payloadRetentionMs, attemptRetentionMs, deliveryRetentionMs } = options;
    this.#steps = [
      this.#step('payloads', async (removed, stop) => {
        Object.assign(removed, await expirePayloads(this.database, payloadRetentionMs, stop));
      }),
      this.#step('partitions', (removed, stop) => this.#removePartitions(attemptRetentionMs, removed, stop)),
      this.#step('attempts', async (removed, stop) => {
        removed.attempts += await removeStrayAttempts(this.database, attemptRetentionMs, stop);
      }),
      this.#step('deliveries', async (removed, stop) => {
        removed.deliveries = await removeExpired(this.database, 'delivery', deliveryRetentionMs, stop);
      }),
      this.#step('recoveries', async (removed, stop) => {
        removed.recoveries = await removeExpired(this.database, 'recovery', deliveryRetentionMs, stop);
      }),
      this.#step('completions', async (removed, stop) => {
        removed.completions = await removeExpiredCompletions(this.database, deliveryRetentionMs, stop);
      }),
    ];
  }

  /**
   * Runs every step once, in small batches. A failing step is logged when it begins to fail and does not stop the
   * others. Never throws.
   * @param stop checked before each batch
   */
  async run(stop?: StopSignal): Promise<void> {
    this.#removed = nothing();
    for (const step of this.#steps) await step.run(stop);
    const { bytes: _bytes, partitions, ...counts } = this.#removed;
    if (partitions.length + Object.values(counts).reduce((sum, n) => sum + n) === 0) return;
    this.#logger.log({
      event: 'retention.removed',
      message: 'what was kept long enough has been removed',
      ...this.#removed,
    });
  }

  #step(kind: string, work: (removed: Removed, stop?: StopSignal) => Promise<void>): Job {
    return new Job(this.outages.ofSweep(`retention.${kind}`), (stop) => work(this.#removed, stop));
  }

  async #removePartitions(periodMs: number, removed: Removed, stop?: StopSignal): Promise<void> {
    const { dropped, attempts, failures } = await removeExpiredAttemptPartitions(this.database, periodMs, stop);
    removed.partitions = dropped;
    removed.attempts = attempts;
    const [failed] = failures;
    if (failed) throw new PartitionError(failed, RIGHTS);
  }
}

const nothing = (): Removed => ({
  payloads: 0,
  bytes: 0,
  partitions: [],
  attempts: 0,
  deliveries: 0,
  recoveries: 0,
  completions: 0,
});

const RIGHTS =
  'The role needs to own the partition (docs/database.md); its attempts were deleted, and the empty partition stays until ' +
  'its owner drops it';
