import type { JobCompleted, JobKey, MappingResultRow } from '../core/job-completed.js';

/** The results of finished jobs, as the host stores them. */
export abstract class MappingResults {
  /**
   * The finished job by its id, for a push by hand.
   * @returns null when there is none in this workspace or it has not finished
   */
  abstract findCompletedJob(workspaceId: string, jobId: string): Promise<JobCompleted | null>;

  /**
   * The rows of a job, in an order that is the same every time, in batches of any size (some hundred rows are good).
   * Read once per job and kind of body (format, compression, fields, parts), with back-pressure: the next batch is asked for when the last one is stored.
   * @returns null when the job's results no longer exist: the delivery ends `FAILED`, reason `results_missing`
   * @throws when the host cannot answer now: it is tried again, and no customer's retry is spent. So it is when two
   *   minutes pass without an answer or a batch; the stream is closed then
   */
  abstract streamRows(job: JobKey): Promise<AsyncIterable<readonly MappingResultRow[]> | null>;

  /**
   * The jobs that completed since a time, oldest first, for the sweeper: it makes the deliveries of completions whose
   * event was never heard (the host died between its commit and its emit). Without this method there is no such sweep.
   * @param afterJobId continue after this job of the previous page
   * @param limit at most so many
   */
  listCompletedSince?(since: Date, afterJobId: string | null, limit: number): Promise<readonly JobCompleted[]>;
}
