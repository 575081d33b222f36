import { Logger } from '@nestjs/common';
import type { PayloadStore } from '../payload/payload-store.js';
import { failpoint } from '../core/failpoint.js';
import { createAttemptPartitions } from '../persistence/attempt-partitions.js';
import type { Session } from '../persistence/database.js';
import { sweepExpiredLeases } from '../persistence/lease-keeping.js';
import type { SecretVault } from '../ports/secret-vault.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Wakeup } from '../wakeup/wakeup.js';
import type { MissedCompletions } from './missed-completions.js';
import { OutageLog } from '../core/outage-log.js';
import type { DeliveryParts } from './delivery-parts.js';
import type { Retention } from './retention.js';
import type { SecretOverlaps } from './secret-overlaps.js';
import type { SettledDeliveries } from './settled-deliveries.js';

export interface DeliverySweeperOptions {
  readonly everyMs: number;
  /** A delivery that was abandoned so often ends `FAILED`: it may be what takes its workers down. */
  readonly maxAbandoned: number;
}

const HOUR_MS = 3_600_000;

/**
 * Step 7: finds what a crash left behind (expired leases, completions nobody heard of, last parts, half-made bodies,
 * orphaned secrets) and what is over by itself: the overlaps of rotated secrets, what was kept long enough.
 */
export class DeliverySweeper {
  readonly #logger = new Logger('DataSinks');
  readonly #outages = new OutageLog(this.#logger, 'sweeper');
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;
  #housekeptAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly session: Session,
    private readonly wakeup: Wakeup,
    private readonly missed: MissedCompletions,
    private readonly payloads: PayloadStore,
    private readonly vault: Pick<SecretVault, 'destroyUnreferenced'>,
    private readonly settled: Pick<SettledDeliveries, 'abandoned'>,
    private readonly overlaps: Pick<SecretOverlaps, 'sweep'>,
    private readonly parts: Pick<DeliveryParts, 'repair'>,
    private readonly retention: Pick<Retention, 'run'>,
    private readonly telemetry: Pick<Telemetry, 'leaseExpired'>,
    private readonly options: DeliverySweeperOptions,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), this.options.everyMs);
    void this.sweep();
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#underWay;
  }

  /** Everything once. A sweep that is under way is not begun a second time. */
  async sweep(): Promise<void> {
    this.#underWay ??= this.#sweepOnce().finally(() => (this.#underWay = null));
    return this.#underWay;
  }

  /** What one part throws does not keep the others from being done: a host that is away must not fill the disks. */
  async #sweepOnce(): Promise<void> {
    const work = [
      () => this.#takeBackExpiredLeases(),
      () => this.parts.repair(),
      () => this.overlaps.sweep(),
      () => this.missed.recover(),
      () => this.#housekeep(),
    ];
    let failed = false;
    for (const part of work) {
      try {
        await part();
      } catch (error) {
        failed = true;
        this.#outages.report(error);
      }
    }
    if (!failed) this.#outages.over();
  }

  async #takeBackExpiredLeases(): Promise<void> {
    const swept = await sweepExpiredLeases(this.session, this.options.maxAbandoned);
    for (const lease of swept) {
      const { deliveryId, status } = lease;
      this.telemetry.leaseExpired();
      this.#logger.warn({ event: 'delivery.lease_expired', deliveryId, status });
      if (status === 'FAILED') this.settled.abandoned(lease);
    }
    if (swept.length > 0) failpoint('mid-sweep');
    if (swept.some(({ status }) => status !== 'FAILED')) this.wakeup.notify();
  }

  async #housekeep(): Promise<void> {
    if (performance.now() - this.#housekeptAt < HOUR_MS) return;
    const { made: partitions, failures } = await createAttemptPartitions(this.session);
    if (partitions.length > 0) this.#logger.log({ event: 'partitions.created', partitions });
    for (const [partition, error] of failures) {
      this.#logger.error({ event: 'partition.not_created', partition, error: String(error) });
    }
    await this.payloads.sweepOrphans();
    const destroyed = (await this.vault.destroyUnreferenced?.(HOUR_MS)) ?? 0;
    if (destroyed > 0) this.#logger.log({ event: 'secrets.destroyed', unreferenced: destroyed });
    await this.retention.run();
    this.#housekeptAt = performance.now();
  }
}
