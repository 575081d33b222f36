import { STORABLE_TEXT } from './storable-text.js';
import type { TraceContext } from './trace-context.js';

/**
 * The event of a finished mapping job, as the host emits it on its EventEmitter2 or passes it to
 * `DataSinks.recordJobCompleted()`. It carries facts and ids, never the rows: those are read through the
 * `MappingResults` port.
 */
export interface JobCompleted {
  /** `job_…` */
  readonly jobId: string;
  /** `agt_…` */
  readonly agentId: string;
  /** `ws_…` */
  readonly workspaceId: string;
  /** When the job finished. */
  readonly completedAt: Date;
  readonly stats: JobStats;
  /**
   * Counts the times this job has been completed on purpose, from 1. A host that re-runs a job under the same id raises
   * it; the same job and run heard twice makes nothing the second time. At most 2,147,483,647: it is no time stamp.
   * @default 1
   */
  readonly run?: number;
  /**
   * The trace that the job belongs to; its pushes, also those made much later, go on with it. A malformed one is dropped.
   * @default the OpenTelemetry context that is active where the event is emitted or recorded
   */
  readonly traceContext?: TraceContext | undefined;
}

export interface JobStats {
  readonly total: number;
  readonly matched: number;
  readonly unmatched: number;
}

/** What tells one completion from every other. */
export interface JobKey {
  readonly jobId: string;
  readonly run: number;
}

/** One row of a job's results, as the customer will read it (contract, section 5). */
export interface MappingResultRow {
  /** `row_…` */
  readonly partnerRowId: string;
  /** `ref_…`, or null when nothing matched. */
  readonly referenceHotelId: string | null;
  /** Such as `STANDARD`; null when nothing matched. */
  readonly matchMethod: string | null;
  /** 0 to 1, or null when the method gives none. */
  readonly matchConfidence: number | null;
}

/** The fields of a row, in the contract's order. */
export const ROW_FIELDS = [
  'partnerRowId',
  'referenceHotelId',
  'matchMethod',
  'matchConfidence',
] as const satisfies readonly (keyof MappingResultRow)[];
export type RowField = (typeof ROW_FIELDS)[number];

/** What a column of PostgreSQL's type `integer` holds at most. */
const MAX_RUN = 2_147_483_647;

/** From the year 1 to 9999: what RFC 3339 can write, and every database read. */
const [FIRST_MS, LAST_MS] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')];

/**
 * Says what is wrong with a would-be event, or null: what passes can be written. The event crosses from the host's code
 * into ours without a type check at run time (an emitter passes anything), so it is checked once, here.
 */
export function invalidJobCompleted(event: unknown): string | null {
  if (typeof event !== 'object' || event === null) return 'the event is not an object';
  const { jobId, agentId, workspaceId, completedAt, stats, run } = event as Partial<JobCompleted>;
  for (const [name, value] of Object.entries({ jobId, agentId, workspaceId })) {
    if (typeof value !== 'string' || value === '') return `${name} is not a non-empty string`;
    if (!STORABLE_TEXT.test(value)) return `${name} has a character that cannot be stored`;
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
