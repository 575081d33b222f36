import { Logger } from '@nestjs/common';
import { expirePayloads } from '../payload/payload-expiry.js';
import type { Session } from '../persistence/database.js';
import {
  dropExpiredAttemptPartitions,
  removeExpired,
  removeExpiredCompletions,
  removeStrayAttempts,
} from '../persistence/retention.js';

/** How long each kind of data is kept, in milliseconds. The audit trail is kept. */
export interface RetentionPeriods {
  readonly payloadRetentionMs: number;
  readonly attemptRetentionMs: number;
  readonly deliveryRetentionMs: number;
}

/** Removes what has been kept long enough: bytes soon, attempts later, deliveries, their recoveries and completions last. */
export class Retention {
  readonly #logger = new Logger('DataSinks');

  constructor(
    private readonly session: Session,
    private readonly periods: RetentionPeriods,
  ) {}

  /** Everything once, in small batches. What one part throws does not keep the others from being done. */
  async run(): Promise<void> {
    const { payloadRetentionMs, attemptRetentionMs, deliveryRetentionMs } = this.periods;
    const { payloads, bytes } = (await this.#part(() => expirePayloads(this.session, payloadRetentionMs))) ?? NONE;
    const partitions = (await this.#part(() => dropExpiredAttemptPartitions(this.session, attemptRetentionMs))) ?? [];
    const attempts = (await this.#part(() => removeStrayAttempts(this.session, attemptRetentionMs))) ?? 0;
    const deliveries = (await this.#part(() => removeExpired(this.session, 'delivery', deliveryRetentionMs))) ?? 0;
    const recoveries = (await this.#part(() => removeExpired(this.session, 'recovery', deliveryRetentionMs))) ?? 0;
    const completions = (await this.#part(() => removeExpiredCompletions(this.session, deliveryRetentionMs))) ?? 0;
    const removed = { payloads, attempts, deliveries, recoveries, completions };
    if (partitions.length + Object.values(removed).reduce((sum, n) => sum + n) === 0) return;
    this.#logger.log({ event: 'retention.removed', bytes, partitions, ...removed });
  }

  async #part<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.#logger.error({ event: 'retention.failed', error: String(error) });
      return null;
    }
  }
}

const NONE = { payloads: 0, bytes: 0 };
