import type { JobCompleted, JobKey, MappingResultRow } from '../domain/job-completed.js';

/**
 * The results of completed jobs in the host's storage. Every call passes the workspace; include it in the look-up if
 * job ids are unique only within a workspace.
 */
export abstract class MappingResults {
  /**
   * Finds a completed job by its id, for a manual push.
   * @returns null when this workspace has no such job, or it has not completed
   */
  abstract findCompletedJob(workspaceId: string, jobId: string): Promise<JobCompleted | null>;

  /**
   * Streams the rows of a job of workspace `job.workspaceId`, in batches of any size (a few hundred rows are good). The
   * order must be the same on every call. Called once per job and kind of body (format, compression, fields, parts),
   * with back-pressure: the module asks for the next batch when the last is stored.
   *
   * Must return exactly `stats.total` rows. Read from the primary, since a lagging replica has fewer. A different
   * number of rows, or an invalid row, ends the delivery `FAILED` with reason `results_invalid`, before anything is
   * sent.
   * @returns null when the results no longer exist: the delivery ends `FAILED` with reason `results_missing`
   * @throws when the host is unavailable: retried without using a retry. The same happens after two minutes without an
   *   answer or a batch; the stream is then closed
   */
  abstract streamRows(job: JobKey): Promise<AsyncIterable<readonly MappingResultRow[]> | null>;

  /**
   * Lists jobs of all workspaces that completed since a time, oldest first. The sweeper uses it to record completions
   * whose event was lost (the host died between commit and emit). Without this method there is no such sweep.
   * @param after the last job of the previous page, unchanged; null for the first page
   * @param limit maximum number of jobs
   */
  listCompletedSince?(since: Date, after: JobCompleted | null, limit: number): Promise<readonly JobCompleted[]>;
}
