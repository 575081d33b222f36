import type { EventLog } from '../tools/event-log.js';
import { type OwnFailureKind, ownFailureKind } from './own-failure-kind.js';

/** A part of our own side that may fail, and how its outages are told. */
export interface OutageOf {
  /** The events of the two lines. */
  readonly begins: string;
  readonly ends: string;
  /** What does not work meanwhile, in a sentence for an operator. */
  readonly message: string;
  /**
   * A part that nobody asks for this long is not called away any more. Left out for what is asked again and again: there
   * only a success ends an outage.
   */
  readonly staleMs?: number;
  /** Whether its success shows that the database answers. @default false */
  readonly usesDatabase?: boolean;
  /** On each of its lines. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** Who failed, where one part works for many. */
export interface OutageReport {
  /** Such as a sink's id. @default one for all */
  readonly subject?: string;
  /** How many failed at once. @default 1 */
  readonly count?: number;
  /** More for the log line: ids, never a secret. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** An outage that lasts. */
export interface OpenOutage {
  /** The part, such as `gate`. */
  readonly part: string;
  readonly kind: OwnFailureKind;
  readonly message: string;
  readonly since: Date;
  readonly failures: number;
  /** What failed first. Not for customers. */
  readonly error: string;
}

interface Open extends OpenOutage {
  readonly beganAt: number;
  lastAt: number;
  failures: number;
  /** Whether something of this part has gone well since: then the fault is somebody's, and not everybody's. */
  isPartial: boolean;
  /** When the log got its line, or null: of several parts that fail of one cause, the first tells. */
  toldAt: number | null;
  readonly cause: string;
}

/** The cause of whatever fails since the database does not answer. */
export const DATABASE_AWAY = 'database' satisfies OwnFailureKind;

/** More faults than this at once are one. */
const MOST_SUBJECTS = 1_000;
/** While nothing goes well, one delivery tries again this soon; the others wait as long as their own back-off says. */
const PROBE_AFTER_MS = 2_000;

/**
 * An outage is said once when it begins, once when it is over, with how much failed between, and not once for each
 * failure. It is over when each subject that failed has gone well; a fault of one sink does not end with another's success.
 */
export class Outage {
  #open: Open | null = null;
  readonly #failing = new Set<string>();
  #probedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly part: string,
    private readonly of: OutageOf,
    private readonly log: Pick<EventLog, 'error' | 'log'>,
    private readonly count: (kind: OwnFailureKind, failures: number) => void = () => undefined,
    private readonly repaired: () => void = () => undefined,
    private readonly isToldElsewhere: (cause: string) => boolean = () => false,
    private readonly wentWell: (begunAt: number) => void = () => undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get open(): OpenOutage | null {
    return this.#current();
  }

  /** Whether the log has said, at that time or later, that this cause keeps the part from working. */
  tells(cause: string, since: number): boolean {
    const open = this.#current();
    return cause !== '' && open?.cause === cause && open.toldAt !== null && open.toldAt >= since;
  }

  report(error: unknown, { subject = '', count = 1, fields = {} }: OutageReport = {}): void {
    const kind = ownFailureKind(error);
    this.count(kind, count);
    const open = this.#current() ?? this.#begin(kind, error);
    const isAnother = open.isPartial && !this.#failing.has(subject);
    const line = {
      event: this.of.begins,
      message: this.of.message,
      ...this.of.fields,
      kind,
      ...fields,
      error: String(error),
    };
    if (isAnother || (open.toldAt === null && !this.isToldElsewhere(open.cause))) {
      open.toldAt = this.now();
      this.log.error(line);
    }
    open.failures += count;
    open.lastAt = this.now();
    if (this.#failing.size < MOST_SUBJECTS) this.#failing.add(subject);
  }

  /** Taken before a call that may be answered late, for `over()`. */
  mark(): number {
    return this.now();
  }

  /** How long a delivery waits that failed of it. One at a time finds out soon, before its own back-off, whether it is over. */
  waitMs(backOffMs: number): number {
    if (this.now() - this.#probedAt < PROBE_AFTER_MS) return backOffMs;
    this.#probedAt = this.now();
    return Math.min(backOffMs, PROBE_AFTER_MS);
  }

  /**
   * Something of this part went well.
   * @param begunAt when it began: a success from before the outage says nothing about its end
   */
  over(subject = '', begunAt: number = this.now()): void {
    this.wentWell(begunAt);
    const open = this.#open;
    if (open === null || begunAt < open.beganAt) return;
    if (!open.isPartial) this.repaired();
    open.isPartial = true;
    this.#failing.delete(subject);
    if (this.#failing.size > 0) return;
    this.#open = null;
    if (open.toldAt === null) return;
    this.log.log({
      event: this.of.ends,
      message: `over: ${this.of.message}`,
      ...this.of.fields,
      ...{ kind: open.kind, afterMs: Math.round(this.now() - open.beganAt), failures: open.failures },
    });
  }

  #current(): Open | null {
    const { staleMs = Number.POSITIVE_INFINITY } = this.of;
    if (this.#open && this.now() - this.#open.lastAt > staleMs) {
      this.#open = null;
      this.#failing.clear();
    }
    return this.#open;
  }

  #begin(kind: OwnFailureKind, error: unknown): Open {
    const [part, message, beganAt] = [this.part, this.of.message, this.now()];
    this.#failing.clear();
    this.#open = {
      ...{ part, kind, message, since: new Date(), error: String(error) },
      ...{ failures: 0, beganAt, lastAt: beganAt, isPartial: false, toldAt: null, cause: causeOf(kind, error) },
    };
    return this.#open;
  }
}

/** A database that is away, read-only or full is one cause, however many parts it stops. Other kinds have a cause each. */
function causeOf(kind: OwnFailureKind, error: unknown): string {
  if (kind === DATABASE_AWAY) return kind;
  const code = (error as { readonly code?: unknown } | null)?.code;
  return kind === 'database_refuses' && /^(25006|53\d{3})$/.test(String(code)) ? `${kind} ${String(code)}` : '';
}
