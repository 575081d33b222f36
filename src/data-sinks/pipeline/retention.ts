import { Logger } from '@nestjs/common';
import type { StopSignal } from '../core/cancellation.js';
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

  /**
   * Everything once, in small batches. What one part throws does not keep the others from being done.
   * @param stop asked before each batch
   */
  async run(stop?: StopSignal): Promise<void> {
    const { payloadRetentionMs, attemptRetentionMs, deliveryRetentionMs } = this.periods;
    const part = <T>(work: Removal<T>, periodMs: number) => this.#part(() => work(this.session, periodMs, stop), stop);
    const { payloads, bytes } = (await part(expirePayloads, payloadRetentionMs)) ?? NONE;
    const partitions = (await part(dropExpiredAttemptPartitions, attemptRetentionMs)) ?? [];
    const attempts = (await part(removeStrayAttempts, attemptRetentionMs)) ?? 0;
    const deliveries = (await part((db, ms) => removeExpired(db, 'delivery', ms, stop), deliveryRetentionMs)) ?? 0;
    const recoveries = (await part((db, ms) => removeExpired(db, 'recovery', ms, stop), deliveryRetentionMs)) ?? 0;
    const completions = (await part(removeExpiredCompletions, deliveryRetentionMs)) ?? 0;
    const removed = { payloads, attempts, deliveries, recoveries, completions };
    if (partitions.length + Object.values(removed).reduce((sum, n) => sum + n) === 0) return;
    this.#logger.log({ event: 'retention.removed', bytes, partitions, ...removed });
  }

  async #part<T>(work: () => Promise<T>, stop?: StopSignal): Promise<T | null> {
    if (stop?.aborted) return null;
    try {
      return await work();
    } catch (error) {
      if (!stop?.aborted) this.#logger.error({ event: 'retention.failed', error: String(error) });
      return null;
    }
  }
}

type Removal<T> = (session: Session, periodMs: number, stop?: StopSignal) => Promise<T>;

const NONE = { payloads: 0, bytes: 0 };
