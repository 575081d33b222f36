import { Injectable } from '@nestjs/common';
import { EventLog } from '../tools/event-log.js';
import { DATABASE_AWAY, type OpenOutage, Outage, type OutageOf } from './outage.js';
import { Telemetry } from './telemetry.js';

/** Longer than the longest back-off after a failure of our own side, with its jitter. */
const STALE_MS = 360_000;
/** What was asked before the database went away may be answered so much later than the first failure is told. */
const LATE_ANSWER_MS = 1_000;
/** A caller whose request failed asks again sooner, or has given up. */
const API_STALE_MS = 60_000;

const away = (part: string, message: string, staleMs?: number): OutageOf => ({
  ...{ begins: `${part}.unavailable`, ends: `${part}.available_again`, message },
  ...(staleMs !== undefined && { staleMs }),
});
/** Each of its successes is an answer of the database: others may have had nothing to ask. */
const withDatabase = (of: OutageOf): OutageOf => ({ ...of, usesDatabase: true });

const PARTS = {
  worker: withDatabase(away('worker', 'the database does not let workers look for deliveries or claim them')),
  workers: withDatabase(away('workers', 'the database does not let this process say that it is alive')),
  gate: away('gate', 'the host does not say which deliveries may be sent; they wait, and no retry is spent', STALE_MS),
  preparing: {
    begins: 'delivery.not_prepared',
    ends: 'delivery.prepared_again',
    message: 'bodies or signatures of deliveries cannot be made now; they wait, and no retry is spent',
    staleMs: STALE_MS,
  },
  opening: {
    begins: 'delivery.not_opened',
    ends: 'delivery.opened_again',
    message: 'attempts cannot be put on record, so nothing is sent; deliveries wait, and no retry is spent',
    staleMs: STALE_MS,
  },
  vault: away('vault', 'none of the secrets that were tried can be opened with the keys of the vault'),
  audit: away('audit', 'the audit trail does not take the ends of deliveries; they wait in the outbox'),
  recoveries: away('recoveries', 'recoveries do not go on'),
  redis: away('redis', 'other processes are not woken through Redis; they find what is due by polling'),
  api: away('api', 'requests are answered with 503: something that they need does not answer', API_STALE_MS),
} as const satisfies Record<string, OutageOf>;

export type OutagePart = keyof typeof PARTS;

/** What of our own side is away now: one place for the log, the metric `data_sinks.own_failures` and the health. */
@Injectable()
export class Outages {
  readonly #log = new EventLog();
  readonly #parts = new Map<string, Outage>();
  readonly #onRepair = new Set<() => void>();
  #databaseAnsweredAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly telemetry: Telemetry) {}

  of(part: OutagePart): Outage {
    return this.#get(part, PARTS[part]);
  }

  /** @param step of the sweep, such as `leases` */
  ofSweep(step: string): Outage {
    const of = away('sweeper', `the part "${step}" of the sweep cannot be done`);
    return this.#get(`sweeper ${step}`, { ...of, fields: { step } });
  }

  /** Those that last, the oldest first. */
  open(): readonly OpenOutage[] {
    return [...this.#parts.values()]
      .flatMap(({ open }) => open ?? [])
      .sort((a, b) => a.since.getTime() - b.since.getTime());
  }

  /** @param repaired called when something that was away altogether has gone well for the first time */
  onRepair(repaired: () => void): void {
    this.#onRepair.add(repaired);
  }

  #get(part: string, of: OutageOf): Outage {
    let outage = this.#parts.get(part);
    if (!outage) {
      const count = this.telemetry.ownFailure.bind(this.telemetry);
      const repaired = (): void => this.#onRepair.forEach((tell) => tell());
      const wentWell = (begunAt: number): void => {
        if (of.usesDatabase) this.#databaseAnsweredAt = Math.max(this.#databaseAnsweredAt, begunAt);
      };
      outage = new Outage(part, of, this.#log, count, repaired, (cause) => this.#isTold(cause), wentWell);
      this.#parts.set(part, outage);
    }
    return outage;
  }

  /** A part that nobody has asked since tells of an outage that is over: the next one needs a line of its own. */
  #isTold(cause: string): boolean {
    const since = cause === DATABASE_AWAY ? this.#databaseAnsweredAt - LATE_ANSWER_MS : Number.NEGATIVE_INFINITY;
    return [...this.#parts.values()].some((part) => part.tells(cause, since));
  }
}
