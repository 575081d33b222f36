import type { JobCompleted, JobKey, MappingResultRow } from '../../domain/job-completed.js';
import { keyText } from '../../domain/key-text.js';
import { MappingResults } from '../../ports/mapping-results.js';

interface StoredJob {
  readonly job: JobCompleted;
  rows: readonly MappingResultRow[] | null;
}

/**
 * Completed jobs added by a test. Jobs of different workspaces may have the same id. Of several runs of a job, the
 * latest is found and listed; the rows of each run stay.
 */
export class InMemoryMappingResults extends MappingResults {
  private readonly jobs = new Map<string, StoredJob>();

  /** @param batchSize rows in one batch of `streamRows` */
  constructor(private readonly batchSize = 500) {
    super();
  }

  /** Adds a completed job with its rows. */
  complete(job: JobCompleted, rows: readonly MappingResultRow[]): void {
    this.jobs.set(keyOf(job), { job, rows });
  }

  /** Deletes the rows of a job, as a host does when its results expire. */
  expire(job: Pick<JobCompleted, 'workspaceId' | 'jobId' | 'run'>): void {
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
    after: JobCompleted | null,
    limit: number,
  ): Promise<readonly JobCompleted[]> {
    return this.latestRuns()
      .sort(byCompletion)
      .filter((job) => job.completedAt >= since && (after === null || byCompletion(after, job) < 0))
      .slice(0, limit);
  }

  private latestRuns(): JobCompleted[] {
    const latest = new Map<string, JobCompleted>();
    for (const { job } of this.jobs.values()) {
      const key = keyText(job.workspaceId, job.jobId);
      if ((latest.get(key)?.run ?? 0) < (job.run ?? 1)) latest.set(key, job);
    }
    return [...latest.values()];
  }
}

function keyOf({ workspaceId, jobId, run = 1 }: Pick<JobCompleted, 'workspaceId' | 'jobId' | 'run'>): string {
  return keyText(workspaceId, jobId, run);
}

function byCompletion(a: JobCompleted, b: JobCompleted): number {
  const byTime = a.completedAt.getTime() - b.completedAt.getTime();
  if (byTime !== 0) return byTime;
  const [one, other] = [keyText(a.workspaceId, a.jobId), keyText(b.workspaceId, b.jobId)];
  return one === other ? 0 : one < other ? -1 : 1;
}

async function* batches(
  rows: readonly MappingResultRow[],
  size: number,
): AsyncGenerator<readonly MappingResultRow[], void, undefined> {
  for (let from = 0; from < rows.length; from += size) yield rows.slice(from, from + size);
}
