import { Logger } from '@nestjs/common';
import { Cancellation } from '../core/cancellation.js';
import { failpoint } from '../core/failpoint.js';
import type { Session } from '../persistence/database.js';
import { sweepExpiredLeases } from '../persistence/lease-keeping.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { Wakeup } from '../wakeup/wakeup.js';
import type { DeliveryParts } from './delivery-parts.js';
import type { Housekeeping } from './housekeeping.js';
import type { MissedCompletions } from './missed-completions.js';
import type { SecretOverlaps } from './secret-overlaps.js';
import type { SettledDeliveries } from './settled-deliveries.js';
import { SweepStep } from './sweep-step.js';

export interface DeliverySweeperOptions {
  readonly everyMs: number;
  /** A delivery that was abandoned so often ends `FAILED`: it may be what takes its workers down. */
  readonly maxAbandoned: number;
}

/**
 * Step 7: finds what a crash left behind (expired leases, completions nobody heard of, last parts, half-made bodies,
 * orphaned secrets) and what is over by itself: the overlaps of rotated secrets, what was kept long enough.
 */
export class DeliverySweeper {
  readonly #logger = new Logger('DataSinks');
  readonly #steps: readonly SweepStep[];
  readonly #stopping = new Cancellation();
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;

  constructor(
    private readonly session: Session,
    private readonly wakeup: Wakeup,
    private readonly missed: MissedCompletions,
    private readonly settled: Pick<SettledDeliveries, 'abandoned'>,
    private readonly overlaps: Pick<SecretOverlaps, 'sweep'>,
    private readonly parts: Pick<DeliveryParts, 'repair'>,
    private readonly housekeeping: Pick<Housekeeping, 'runHourly'>,
    private readonly telemetry: Pick<Telemetry, 'leaseExpired'>,
    private readonly options: DeliverySweeperOptions,
  ) {
    this.#steps = [
      new SweepStep(this.#logger, 'leases', () => this.#takeBackExpiredLeases()),
      new SweepStep(this.#logger, 'parts', () => this.parts.repair()),
      new SweepStep(this.#logger, 'overlaps', (stop) => this.overlaps.sweep(stop)),
      new SweepStep(this.#logger, 'missed', (stop) => this.missed.recover(stop)),
    ];
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), this.options.everyMs);
    void this.sweep();
  }

  /** A sweep that is under way ends after what it is at; what is left is found by the next one, of any process. */
  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#stopping.abort('shutdown');
    await this.#underWay;
  }

  /** Everything once. A sweep that is under way is not begun a second time. */
  async sweep(): Promise<void> {
    this.#underWay ??= this.#sweepOnce().finally(() => (this.#underWay = null));
    return this.#underWay;
  }

  /** What one step throws does not keep the others from being done: a host that is away must not fill the disks. */
  async #sweepOnce(): Promise<void> {
    for (const step of this.#steps) await step.run(this.#stopping);
    await this.housekeeping.runHourly(this.#stopping);
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
}
