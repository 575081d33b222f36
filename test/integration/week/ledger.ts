import type { Delivery, DeliveryReason } from '../../../src/data-sinks/domain/delivery.js';
import type { JobCompleted } from '../../../src/data-sinks/index.js';
import { DAY_MS, HOUR_MS } from './week-plan.js';
import type { Receivers } from './receivers.js';
import type { WeekSink, World } from './world.js';

/** How long things are kept in this week. */
export const KEPT = {
  payloadRetentionMs: DAY_MS,
  attemptRetentionMs: DAY_MS,
  deliveryRetentionMs: 3 * DAY_MS,
} as const;

/** Retention looks once an hour; steps of the week are shorter. */
const RETENTION_LATE_MS = 2 * HOUR_MS;

interface Entry {
  readonly sink: WeekSink;
  readonly jobId: string;
  id: string | null;
  status: Delivery['status'] | null;
  settledAtMs: number | null;
}

interface DeliveryRow {
  readonly id: string;
  readonly data_source_id: string;
  readonly job_id: string;
  readonly trigger: Delivery['trigger'];
  readonly status: Delivery['status'];
  readonly reason: DeliveryReason | null;
  readonly next_attempt_at: Date | null;
  readonly settled_at: Date | null;
}

/** What every sink is owed, kept beside the database: each step's changes are compared with it. */
export class Ledger {
  readonly violations: string[] = [];
  readonly reasons = new Map<string, number>();
  readonly #entries = new Map<string, Entry>();
  readonly #ofJob = new Map<string, Entry[]>();
  #checkedMs = 0;

  constructor(
    private readonly world: World,
    private readonly receivers: Receivers,
    private readonly nowMs: () => number,
  ) {}

  get owed(): number {
    return this.#entries.size;
  }

  /** A job whose completion is on record by now: each of these sinks is owed its results. */
  expect({ jobId }: JobCompleted, sinks: readonly WeekSink[]): void {
    const entries = sinks.map((sink): Entry => ({ sink, jobId, id: null, status: null, settledAtMs: null }));
    for (const entry of entries) this.#entries.set(keyOf(entry.sink.id, jobId), entry);
    this.#ofJob.set(jobId, entries);
  }

  /** How many there are of each status. */
  ended(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { status } of this.#entries.values()) counts[String(status)] = (counts[String(status)] ?? 0) + 1;
    return counts;
  }

  /** @param held deliveries of workers that have died */
  async check(held: ReadonlySet<string>): Promise<void> {
    const changed = await this.world.host.rows<DeliveryRow>(
      `SELECT id, data_source_id, job_id, trigger, status, reason, next_attempt_at, settled_at
         FROM agent_data_source_delivery WHERE updated_at > $1`,
      [new Date(this.#checkedMs)],
    );
    for (const row of changed) this.#take(row, held);
    this.#checkedMs = this.nowMs();
    for (const { sink, jobId, id } of this.#entries.values()) {
      if (id === null) this.violations.push(`lost: the sink ${sink.index} was never given ${jobId}`);
    }
  }

  /** Everything, and not what has changed alone: what is gone must have been kept long enough. */
  async checkAll(): Promise<void> {
    const found = await this.world.host.rows<DeliveryRow>('SELECT * FROM agent_data_source_delivery');
    const there = new Map(found.map((row) => [row.id, row]));
    const forgetMs = this.nowMs() - KEPT.deliveryRetentionMs;
    for (const { id, status, settledAtMs } of this.#entries.values()) {
      const row = there.get(id ?? '');
      if (row && row.status !== status) this.violations.push(`${id} became ${row.status} and nobody noticed`);
      if (!row && (settledAtMs === null || settledAtMs > forgetMs)) this.violations.push(`lost: ${id} is gone`);
      if (row && settledAtMs !== null && settledAtMs < forgetMs - RETENTION_LATE_MS) {
        this.violations.push(`${id} settled long ago and is still there`);
      }
    }
    const owed = new Set([...this.#entries.values()].map(({ id }) => id));
    for (const { id } of found) if (!owed.has(id)) this.violations.push(`${id} was owed to nobody`);
  }

  /** The bytes of a job are there only while they may still be needed. */
  async checkPayloads(): Promise<void> {
    const stored = await this.world.host.rows<{ job_id: string }>('SELECT job_id FROM agent_data_source_payload');
    const keptSinceMs = this.nowMs() - KEPT.payloadRetentionMs - RETENTION_LATE_MS;
    for (const { job_id } of stored) {
      const ofJob = this.#ofJob.get(job_id) ?? [];
      if (ofJob.every(({ settledAtMs }) => settledAtMs !== null && settledAtMs < keptSinceMs)) {
        this.violations.push(`the bytes of ${job_id} are kept too long`);
      }
    }
  }

  /** Of months that ended longer ago than attempts are kept there is none; and none is open, now that nobody works. */
  async checkAttempts(): Promise<void> {
    const kept = new Date(this.nowMs() - KEPT.attemptRetentionMs - RETENTION_LATE_MS);
    const monthBegan = new Date(Date.UTC(kept.getUTCFullYear(), kept.getUTCMonth()));
    const [found] = await this.world.host.rows<{ old: number; open: number; stray: number; all: number }>(
      `SELECT count(*) FILTER (WHERE started_at < $1)::int AS old, count(*) FILTER (WHERE status = 'IN_FLIGHT')::int AS open,
              (SELECT count(*)::int FROM agent_data_source_sync_default) AS stray, count(*)::int AS all
         FROM agent_data_source_sync`,
      [monthBegan],
    );
    if (found?.old !== 0 || found.open !== 0 || found.stray !== 0 || found.all > this.receivers.posts) {
      this.violations.push(`the attempts on record are not those that there should be: ${JSON.stringify(found)}`);
    }
  }

  #take(row: DeliveryRow, held: ReadonlySet<string>): void {
    const entry = this.#entries.get(keyOf(row.data_source_id, row.job_id));
    if (!entry || (entry.id !== null && entry.id !== row.id)) {
      this.violations.push(`${row.id} was owed to nobody`);
      return;
    }
    entry.id = row.id;
    if (entry.status !== row.status && row.reason) {
      this.reasons.set(row.reason, (this.reasons.get(row.reason) ?? 0) + 1);
    }
    entry.status = row.status;
    entry.settledAtMs = row.settled_at?.getTime() ?? null;
    const problem = this.#problemOf(row, entry, held);
    if (problem) this.violations.push(`${row.id} is ${row.status}, ${row.reason}: ${problem}`);
  }

  #problemOf(row: DeliveryRow, { sink }: Entry, held: ReadonlySet<string>): string | null {
    const accepted = this.receivers.hasAccepted(row.id);
    // What was delivered, and was asked for once more, may fail now.
    if (accepted && row.status !== 'DELIVERED' && row.trigger !== 'REDELIVERY') return 'its receiver has accepted it';
    switch (row.status) {
      case 'PENDING':
      case 'RETRYING':
        if (row.next_attempt_at === null) return 'it waits for nothing';
        if (row.next_attempt_at.getTime() > this.nowMs() || this.world.statusOf(sink) !== 'ACTIVE') return null;
        return row.status === 'PENDING' && this.world.isPaused(sink) ? null : 'it is due, and nobody took it';
      case 'IN_FLIGHT':
        return held.has(row.id) ? null : 'nobody has it in hand';
      case 'DELIVERED':
        return accepted ? null : 'no receiver has accepted it';
      case 'FAILED':
        return row.reason === 'not_retryable' || row.reason === 'retries_exhausted' ? null : 'that is no reason here';
      case 'CANCELLED':
        return this.#isReasonToCancel(row, sink) ? null : 'that is not so';
    }
  }

  #isReasonToCancel({ reason }: DeliveryRow, sink: WeekSink): boolean {
    const { active, workspaceId, ruleSet } = this.world.agent(sink.agent);
    switch (reason) {
      case 'sink_inactive':
        return ['INACTIVE', 'DELETED'].includes(this.world.statusOf(sink));
      case 'agent_inactive':
        return !active;
      case 'plan_required':
        return !this.world.isEntitled(workspaceId);
      case 'auto_push_off':
        return !JSON.stringify(ruleSet).includes('true');
      default:
        return false;
    }
  }
}

function keyOf(sinkId: string, jobId: string): string {
  return `${sinkId} ${jobId}`;
}
