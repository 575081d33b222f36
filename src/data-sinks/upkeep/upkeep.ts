import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import { MissedCompletions } from '../intake/missed-completions.js';
import { PayloadStore } from '../payload/payload-store.js';
import { SecretVault } from '../ports/secret-vault.js';
import { RecoveryPacer } from '../recovery/recovery-pacer.js';
import { DeliveryParts } from '../settlement/delivery-parts.js';
import { AuditOutbox } from '../settlement/audit-outbox.js';
import { LeftBehindCleaner } from '../sinks/left-behind.js';
import { SecretOverlaps } from '../sinks/secret-overlaps.js';
import type { StopSignal } from '../tools/cancellation.js';
import { Outages } from '../telemetry/outages.js';
import { EventLog } from '../tools/event-log.js';
import { Job, Schedule } from '../tools/schedule.js';
import { AttemptPartitions } from './attempt-partitions.js';
import { ExpiredLeases } from './expired-leases.js';
import { Retention } from './retention.js';

const HOUR_MS = 3_600_000;
/** The work of a worker that is gone goes on within 15 s: 8 s until it is known to be, and this. */
const LEASES_MS = 2_000;
/** A right that was granted is used soon. Each try may keep attempts waiting for a moment, so they come less and less often. */
const PARTITIONS_RETRY_MS = 30_000;

/**
 * Step 7: the scheduled jobs. They recover from crashes (expired leases, last parts, missed completions, unfinished
 * bodies, orphaned secrets), handle what expires (overlaps, retention), create partitions and pace recoveries.
 */
@Injectable()
export class Upkeep {
  readonly #logger = new EventLog();
  readonly #partitions: Job;
  readonly #leases: Schedule;
  readonly #sweep: Schedule;
  /** A schedule of its own: a slow sweep does not delay recoveries. */
  readonly #recoveries: Schedule;

  constructor(
    leases: ExpiredLeases,
    parts: DeliveryParts,
    outbox: AuditOutbox,
    overlaps: SecretOverlaps,
    leftBehind: LeftBehindCleaner,
    missed: MissedCompletions,
    partitions: AttemptPartitions,
    payloads: PayloadStore,
    private readonly vault: SecretVault,
    retention: Retention,
    recoveries: RecoveryPacer,
    private readonly outages: Outages,
    @Inject(OPTIONS) { sweepMs, pollMs }: ResolvedDataSinksOptions,
  ) {
    this.#partitions = this.#job('partitions', () => partitions.create(), HOUR_MS, PARTITIONS_RETRY_MS);
    this.#leases = new Schedule(Math.min(sweepMs, LEASES_MS), [this.#job('leases', () => leases.takeBack())]);
    this.#sweep = new Schedule(sweepMs, [
      this.#job('parts', () => parts.repair()),
      this.#job('audit', () => outbox.pass()),
      this.#job('overlaps', (stop) => overlaps.sweep(stop)),
      this.#job('leftovers', (stop) => leftBehind.sweep(stop)),
      this.#job('missed', (stop) => missed.recover(stop)),
      this.#partitions,
      this.#job('orphans', (stop) => payloads.sweepOrphans(stop), HOUR_MS),
      this.#job('secrets', () => this.#destroySecrets(), HOUR_MS),
      this.#job('retention', (stop) => retention.run(stop), HOUR_MS),
    ]);
    this.#recoveries = new Schedule(pollMs, [new Job(outages.of('recoveries'), (stop) => recoveries.look(stop))]);
  }

  /** Runs before the first claim, whose attempts belong to the current month. Never throws. */
  makePartitions(): Promise<void> {
    return this.#partitions.run();
  }

  start(): void {
    this.#leases.start();
    this.#sweep.start();
    this.#recoveries.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#leases.stop(), this.#sweep.stop(), this.#recoveries.stop()]);
  }

  /** Runs every job of the sweep that is due, once. Never throws. */
  async sweep(): Promise<void> {
    await this.#leases.runDue();
    await this.#sweep.runDue();
  }

  #job(step: string, work: (stop?: StopSignal) => Promise<void>, everyMs?: number, firstRetryMs?: number): Job {
    return new Job(this.outages.ofSweep(step), work, everyMs, firstRetryMs);
  }

  async #destroySecrets(): Promise<void> {
    const destroyed = (await this.vault.destroyUnreferenced?.(HOUR_MS)) ?? 0;
    if (destroyed === 0) return;
    this.#logger.log({
      event: 'secrets.destroyed',
      message: `${destroyed} secrets that no data sink names were destroyed`,
      unreferenced: destroyed,
    });
  }
}
