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
   * it; the same job and run heard twice makes nothing the second time.
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

/**
 * Says what is wrong with a would-be event, or null. The event crosses from the host's code into ours without a type
 * check at run time (an emitter passes anything), so it is checked once, here.
 */
export function invalidJobCompleted(event: unknown): string | null {
  if (typeof event !== 'object' || event === null) return 'the event is not an object';
  const { jobId, agentId, workspaceId, completedAt, stats, run } = event as Partial<JobCompleted>;
  for (const [name, value] of Object.entries({ jobId, agentId, workspaceId })) {
    if (typeof value !== 'string' || value === '') return `${name} is not a non-empty string`;
  }
  if (!(completedAt instanceof Date) || Number.isNaN(completedAt.getTime())) return 'completedAt is not a valid Date';
  if (run !== undefined && !isCount(run, 1)) return 'run is not an integer from 1';
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
