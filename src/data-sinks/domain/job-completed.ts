import { invalidHostId } from './host-id.js';
import type { TraceContext } from './trace-context.js';

/**
 * The event of a completed mapping job, which the host emits on its EventEmitter2 or passes to
 * `DataSinks.recordJobCompleted()`. It holds facts and ids, not rows: the module reads these through the
 * `MappingResults` port.
 */
export interface JobCompleted {
  /**
   * `job_…`, unique within the workspace; two workspaces may use the same id. Any text of 1 to 255 characters that
   * PostgreSQL can store, as for the other two ids.
   */
  readonly jobId: string;
  /** `agt_…` */
  readonly agentId: string;
  /** `ws_…` */
  readonly workspaceId: string;
  /** When the job completed. */
  readonly completedAt: Date;
  readonly stats: JobStats;
  /**
   * Number of this completion of the job, from 1 to 2,147,483,647. A host that runs a job again under the same id
   * increments it. A second event with the same job and run has no effect. Do not use a timestamp.
   * @default 1
   */
  readonly run?: number;
  /**
   * Trace context of the job; its pushes continue this trace, even much later. A malformed one is dropped.
   * @default the OpenTelemetry context that is active where the event is emitted or recorded
   */
  readonly traceContext?: TraceContext | undefined;
}

export interface JobStats {
  readonly total: number;
  readonly matched: number;
  readonly unmatched: number;
}

/** Identifies a completion. The job id alone does not: it is unique only within its workspace. */
export interface JobKey {
  readonly workspaceId: string;
  readonly jobId: string;
  /** From 1. */
  readonly run: number;
}

/** One row of a job's results, as the customer receives it (contract, section 5). */
export interface MappingResultRow {
  /** `row_…` */
  readonly partnerRowId: string;
  /** `ref_…`, or null when there is no match. */
  readonly referenceHotelId: string | null;
  /** E.g. `STANDARD`; null when there is no match. */
  readonly matchMethod: string | null;
  /** 0 to 1, or null when the method reports none. */
  readonly matchConfidence: number | null;
}

/** The fields of a row, in the contract's order. */
export const ROW_FIELDS = [
  'partnerRowId',
  'referenceHotelId',
  'matchMethod',
  'matchConfidence',
] as const satisfies readonly (keyof MappingResultRow)[];

/** What a body can say with every row, in the contract's order: the row's own fields, and facts of its job. */
export const BODY_FIELDS = [...ROW_FIELDS, 'jobId', 'completedAt', 'run'] as const;
export type BodyField = (typeof BODY_FIELDS)[number];

/** In the contract's order, always with the row's id: a row without it is useless. */
export function bodyFields(names: readonly string[] | null): BodyField[] | null {
  return names && BODY_FIELDS.filter((field) => field === 'partnerRowId' || names.includes(field));
}

/** Maximum of PostgreSQL's type `integer`. */
const MAX_RUN = 2_147_483_647;

/** Years 1 to 9999: the range of RFC 3339 that every database can read. */
const [FIRST_MS, LAST_MS] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')];

/**
 * Returns what is wrong with an event, or null. An event emitter passes values of any type, so the event is checked
 * here, once, before it is stored.
 */
export function invalidJobCompleted(event: unknown): string | null {
  if (typeof event !== 'object' || event === null) return 'the event is not an object';
  const { jobId, agentId, workspaceId, completedAt, stats, run } = event as Partial<JobCompleted>;
  for (const [name, value] of Object.entries({ jobId, agentId, workspaceId })) {
    const problem = invalidHostId(value);
    if (problem !== null) return `${name} ${problem}`;
  }
  if (!(completedAt instanceof Date && completedAt.getTime() >= FIRST_MS && completedAt.getTime() <= LAST_MS)) {
    return 'completedAt is not a valid Date';
  }
  if (run !== undefined && !(isCount(run, 1) && run <= MAX_RUN)) return `run is not an integer from 1 to ${MAX_RUN}`;
  if (typeof stats !== 'object' || stats === null) return 'stats is missing';
  const { total, matched, unmatched } = stats;
  for (const [name, value] of Object.entries({ total, matched, unmatched })) {
    if (!isCount(value, 0)) return `stats.${name} is not an integer from 0`;
  }
  return matched + unmatched === total ? null : 'stats.matched and stats.unmatched do not add up to stats.total';
}

function isCount(value: unknown, from: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= from;
}
