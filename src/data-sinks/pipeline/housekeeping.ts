import { Logger } from '@nestjs/common';
import type { StopSignal } from '../core/cancellation.js';
import type { PayloadStore } from '../payload/payload-store.js';
import { createAttemptPartitions } from '../persistence/attempt-partitions.js';
import type { Session } from '../persistence/database.js';
import type { SecretVault } from '../ports/secret-vault.js';
import type { Retention } from './retention.js';
import { SweepStep } from './sweep-step.js';
import { within } from './within.js';

const HOUR_MS = 3_600_000;
/** Generous, since it may look at every secret; not more, since expired leases wait for the sweep to go on. */
const SECRETS_WITHIN_MS = 60_000;
/** The boot waits for them: the default partition takes what is sent before they are there. */
const PARTITIONS_WITHIN_MS = 30_000;

/** What is done once an hour: partitions are made ahead; what belongs to nothing, and what was kept long enough, goes. */
export class Housekeeping {
  readonly #logger = new Logger('DataSinks');
  readonly #partitions: SweepStep;
  readonly #steps: readonly SweepStep[];
  #doneAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly session: Session,
    private readonly payloads: Pick<PayloadStore, 'sweepOrphans'>,
    private readonly vault: Pick<SecretVault, 'destroyUnreferenced'>,
    private readonly retention: Pick<Retention, 'run'>,
  ) {
    this.#partitions = new SweepStep(this.#logger, 'partitions', () =>
      within(this.#createPartitions(), PARTITIONS_WITHIN_MS, 'the database'),
    );
    this.#steps = [
      this.#partitions,
      new SweepStep(this.#logger, 'orphans', (stop) => this.payloads.sweepOrphans(stop)),
      new SweepStep(this.#logger, 'secrets', () => this.#destroySecrets()),
      new SweepStep(this.#logger, 'retention', (stop) => this.retention.run(stop)),
    ];
  }

  /** Before the first claim: what is claimed then opens attempts of this month. Never throws. */
  makePartitions(): Promise<void> {
    return this.#partitions.run();
  }

  /** Each step once an hour, also one that fails: some of them read whole tables. Never throws. */
  async runHourly(stop?: StopSignal): Promise<void> {
    if (performance.now() - this.#doneAt < HOUR_MS) return;
    for (const step of this.#steps) await step.run(stop);
    this.#doneAt = performance.now();
  }

  async #createPartitions(): Promise<void> {
    const { made, failures } = await createAttemptPartitions(this.session);
    if (made.length > 0) this.#logger.log({ event: 'partitions.created', partitions: made });
    const [failed] = failures;
    if (failed) throw new Error(`${failed[0]}: ${String(failed[1])}`, { cause: failed[1] });
  }

  async #destroySecrets(): Promise<void> {
    const asked = this.vault.destroyUnreferenced?.(HOUR_MS);
    if (!asked) return;
    const destroyed = await within(asked, SECRETS_WITHIN_MS, 'the vault');
    if (destroyed > 0) this.#logger.log({ event: 'secrets.destroyed', unreferenced: destroyed });
  }
}
