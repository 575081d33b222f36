import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Outages } from '../telemetry/outages.js';
import { EventLog } from '../tools/event-log.js';
import { inOwnContext } from '../tools/own-context.js';
import { releaseOwnFailures } from './own-failures.sql.js';
import { Wakeup } from './wakeup/wakeup.js';

/**
 * Sends at once what failures of our own side have held up, when the first of it goes well again, and at a boot: a vault
 * key that was wrong is mended with a restart. One run at a time; a repair during one is followed by another.
 */
@Injectable()
export class OwnFailureRelease {
  readonly #log = new EventLog();
  #underWay: Promise<void> | null = null;
  #again = false;
  #stopping = false;

  constructor(
    private readonly database: Database,
    private readonly wakeup: Wakeup,
    private readonly outages: Outages,
  ) {}

  start(): void {
    this.outages.onRepair(() => this.release());
    this.release();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#underWay;
  }

  release(): void {
    if (this.#stopping) return;
    if (this.#underWay) {
      this.#again = true;
      return;
    }
    this.#underWay = inOwnContext(() => this.#run()).finally(() => {
      this.#underWay = null;
      if (!this.#again) return;
      this.#again = false;
      this.release();
    });
  }

  /** What fails here loses nothing: each delivery goes when its own back-off is over. */
  async #run(): Promise<void> {
    try {
      const released = await releaseOwnFailures(this.database, () => this.#stopping);
      if (released === 0) return;
      this.wakeup.notify();
      this.wakeup.notifyOthers();
      this.#log.log({
        event: 'deliveries.released',
        message: `${released} deliveries that failures of our own side held up are sent now`,
        deliveries: released,
      });
    } catch {
      // Told by the parts that ask the database all the time.
    }
  }
}
