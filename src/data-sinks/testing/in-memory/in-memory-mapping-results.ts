import type { JobCompleted, JobKey, MappingResultRow } from '../../core/job-completed.js';
import { MappingResults } from '../../ports/mapping-results.js';

interface StoredJob {
  readonly job: JobCompleted;
  rows: readonly MappingResultRow[] | null;
}

/** Finished jobs that a test puts in. Of several runs of a job the latest is found and listed; the rows of each stay. */
export class InMemoryMappingResults extends MappingResults {
  private readonly jobs = new Map<string, StoredJob>();

  /** @param batchSize rows in one batch of `streamRows` */
  constructor(private readonly batchSize = 500) {
    super();
  }

  /** Keeps a finished job with its rows. */
  complete(job: JobCompleted, rows: readonly MappingResultRow[]): void {
    this.jobs.set(keyOf(job), { job, rows });
  }

  /** Forgets the rows of a job, as a host does when its results have expired. */
  expire(job: Pick<JobCompleted, 'jobId' | 'run'>): void {
    const stored = this.jobs.get(keyOf(job));
    if (stored) stored.rows = null;
  }

  override async findCompletedJob(workspaceId: string, jobId: string): Promise<JobCompleted | null> {
    return this.latestRuns().find((job) => job.workspaceId === workspaceId && job.jobId === jobId) ?? null;
  }

  override async streamRows(job: JobKey): Promise<AsyncIterable<readonly MappingResultRow[]> | null> {
    const rows = this.jobs.get(keyOf(job))?.rows;
    return rows ? batches(rows, this.batchSize) : null;
  }

  override async listCompletedSince(
    since: Date,
    afterJobId: string | null,
    limit: number,
  ): Promise<readonly JobCompleted[]> {
    const jobs = this.latestRuns().sort(byCompletion);
    const from = afterJobId === null ? 0 : jobs.findIndex(({ jobId }) => jobId === afterJobId) + 1;
    return jobs
      .slice(from)
      .filter(({ completedAt }) => completedAt >= since)
      .slice(0, limit);
  }

  private latestRuns(): JobCompleted[] {
    const latest = new Map<string, JobCompleted>();
    for (const { job } of this.jobs.values()) {
      if ((latest.get(job.jobId)?.run ?? 0) < (job.run ?? 1)) latest.set(job.jobId, job);
    }
    return [...latest.values()];
  }
}

function keyOf({ jobId, run = 1 }: Pick<JobCompleted, 'jobId' | 'run'>): string {
  return `${jobId} ${run}`;
}

function byCompletion(a: JobCompleted, b: JobCompleted): number {
  const byTime = a.completedAt.getTime() - b.completedAt.getTime();
  return byTime !== 0 ? byTime : a.jobId < b.jobId ? -1 : 1;
}

async function* batches(
  rows: readonly MappingResultRow[],
  size: number,
): AsyncGenerator<readonly MappingResultRow[], void, undefined> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}
