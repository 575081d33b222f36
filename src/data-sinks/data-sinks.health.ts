import { Injectable } from '@nestjs/common';
import { Database } from './database/database.js';
import { pendingMigrations } from './database/pending-migrations.js';
import { BoundedQuestion } from './database/bounded-question.js';
import { takesWrites } from './database/takes-writes.js';
import { oldestDueAgeMs } from './queue/next-due.sql.js';
import { Wakeup } from './queue/wakeup/wakeup.js';
import { countWorkers } from './queue/workers.sql.js';
import type { Standing } from './telemetry/gauges.js';
import type { OpenOutage } from './telemetry/outage.js';
import { Outages } from './telemetry/outages.js';

export interface DataSinksHealthReport {
  /**
   * - `up`: all is well
   * - `degraded`: what finishes is recorded; some of it, or all, is delivered later. `reasons` says why
   * - `down`: nothing can be recorded or delivered
   */
  readonly status: 'up' | 'degraded' | 'down';
  /** `up` when it responds, even if it refuses the module's statements: `error` says why. */
  readonly database: 'up' | 'down';
  /** Redis for wake-ups; null where none is used. Without it, due deliveries are found by polling. */
  readonly redis: 'up' | 'degraded' | null;
  /** Worker processes that are alive, of all on this database; null without a database. */
  readonly workers: number | null;
  /** For how long the oldest delivery has been due, in milliseconds; 0 when none is, null without a database. */
  readonly oldestDueAgeMs: number | null;
  /**
   * Names of the module's pending migrations; all of them when none ever ran. Null without a database, and where the
   * role may not read the migrations table.
   */
  readonly migrationsPending: readonly string[] | null;
  /** What is not well, the longest first; empty when all is. A sentence each that may be shown to anybody. */
  readonly reasons: readonly HealthReason[];
  /** What the database, or the connection to it, says when it is `down` or refuses; else null. Not for customers. */
  readonly error: string | null;
}

export interface HealthReason {
  /** Such as `database`, `vault` or `port`: as the label of `data_sinks.own_failures`, `workers` or `migrations`. */
  readonly kind: string;
  readonly message: string;
  /** Null where it is not known. */
  readonly since: Date | null;
}

/** Answers a host's health check, such as a Terminus indicator: `DataSinksHealth.check()`. */
@Injectable()
export class DataSinksHealth {
  readonly #writes = new BoundedQuestion(() => takesWrites(this.database));
  readonly #migrations = new BoundedQuestion(() => pendingMigrations(this.database));
  readonly #oldestDue = new BoundedQuestion(() => oldestDueAgeMs(this.database));
  readonly #workers = new BoundedQuestion(() => countWorkers(this.database));

  constructor(
    private readonly database: Database,
    private readonly wakeup: Wakeup,
    private readonly outages: Outages,
  ) {}

  /** Never throws: errors, and timeouts after three seconds, are part of the report. */
  async check(): Promise<DataSinksHealthReport> {
    const reachable = this.wakeup.reachesOthers();
    const redis = reachable === null ? null : reachable ? 'up' : 'degraded';
    const reasons = this.outages.open().map(toReason);
    if (redis === 'degraded' && !reasons.some(({ kind }) => kind === 'redis')) reasons.push(NO_REDIS);
    const known = { database: 'up', redis, workers: null, oldestDueAgeMs: null, migrationsPending: null } as const;
    let migrationsPending: readonly string[] | null = null;
    try {
      const writable = await this.#writes.answer();
      migrationsPending = await this.#migrations.answer();
      if (migrationsPending?.length) {
        return { ...known, status: 'down', migrationsPending, reasons: [UNMIGRATED, ...reasons], error: null };
      }
      const [oldestDueAgeMs, workers] = await Promise.all([this.#oldestDue.answer(), this.#workers.answer()]);
      const found = { ...known, workers, oldestDueAgeMs, migrationsPending };
      if (!writable) {
        return { ...found, status: 'down', reasons: [READ_ONLY, ...reasons], error: READ_ONLY.message };
      }
      if (workers === 0) reasons.push(NO_WORKER);
      return { ...found, status: reasons.length > 0 ? 'degraded' : 'up', reasons, error: null };
    } catch (error) {
      const database = isRefusedStatement(error) ? 'up' : 'down';
      const reason = database === 'up' ? REFUSES : NO_DATABASE;
      const pending = database === 'up' ? migrationsPending : null;
      return {
        ...{ ...known, status: 'down', database, migrationsPending: pending },
        ...{ reasons: [reason, ...reasons.filter(({ kind }) => kind !== reason.kind)], error: String(error) },
      };
    }
  }

  /** For the gauges of this process. Never throws. */
  async standing(): Promise<Standing> {
    const databaseUp = await this.#writes.answer().catch(() => false);
    return { databaseUp, redisUp: this.wakeup.reachesOthers(), away: this.outages.open().map(({ kind }) => kind) };
  }
}

const reason = (kind: string, message: string): HealthReason => ({ kind, message, since: null });
const NO_DATABASE = reason('database', 'the database does not answer');
const REFUSES = reason('database_refuses', 'the database refuses what it is asked');
const READ_ONLY = reason('database_refuses', 'the database is read-only');
const UNMIGRATED = reason('migrations', 'the database has not been migrated');
const NO_WORKER = reason('workers', 'no worker is alive: deliveries are recorded, and none is sent');
const NO_REDIS = reason('redis', 'other processes are not woken through Redis; they find what is due by polling');

function toReason({ kind, message, since }: OpenOutage): HealthReason {
  return { kind, message, since };
}

/** SQLSTATE class 42: a missing privilege or table. The database itself is up. */
function isRefusedStatement(error: unknown): boolean {
  return /^42[0-9A-Z]{3}$/.test(String((error as { readonly code?: unknown } | null)?.code));
}
