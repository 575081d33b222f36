import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { DATABASE } from './data-sinks.tokens.js';
import { pendingMigrations } from './pending-migrations.js';
import { BoundedQuestion } from './persistence/bounded-question.js';
import { oldestDueAgeMs } from './persistence/next-due.js';
import { Wakeup } from './pipeline/index.js';

export interface DataSinksHealthReport {
  /**
   * - `up`: all is well
   * - `degraded`: everything is delivered, some of it later than it could be
   * - `down`: nothing can be recorded or delivered
   */
  readonly status: 'up' | 'degraded' | 'down';
  readonly database: 'up' | 'down';
  /** Of the wake-ups; null where none is used. Without it deliveries are found by polling. */
  readonly redis: 'up' | 'degraded' | null;
  /** For how long the oldest delivery has been due, in milliseconds; 0 when none is, null without a database. */
  readonly oldestDueAgeMs: number | null;
  /** Names of the module's migrations that this database has not run, all when none ever ran; null without a database. */
  readonly migrationsPending: readonly string[] | null;
}

/** Answers a host's health check, such as a Terminus indicator: `DataSinksHealth.check()`. */
@Injectable()
export class DataSinksHealth {
  readonly #migrations = new BoundedQuestion(() => pendingMigrations(this.database));
  readonly #oldestDue = new BoundedQuestion(() => oldestDueAgeMs(this.database.manager));

  constructor(
    @Inject(DATABASE) private readonly database: DataSource,
    private readonly wakeup: Wakeup,
  ) {}

  /** Never throws: what does not answer, or not within three seconds, is in the report. */
  async check(): Promise<DataSinksHealthReport> {
    const reachable = this.wakeup.reachesOthers();
    const redis = reachable === null ? null : reachable ? 'up' : 'degraded';
    try {
      const migrationsPending = await this.#migrations.answer();
      const ready = migrationsPending.length === 0;
      const age = ready ? await this.#oldestDue.answer() : null;
      const status = !ready ? 'down' : redis === 'degraded' ? 'degraded' : 'up';
      return { status, database: 'up', redis, oldestDueAgeMs: age, migrationsPending };
    } catch {
      return { status: 'down', database: 'down', redis, oldestDueAgeMs: null, migrationsPending: null };
    }
  }
}
