import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { type JobCompleted, type JobKey, MappingResults, type MappingResultRow } from '../../data-sinks/index.js';
import { rows, type Session } from '../persistence/sql.js';

const PAGE_ROWS = 1_000;
const REMOVE_ROWS = 20_000;

/** A finished job as it is stored. */
export interface StoredJob extends JobCompleted {
  readonly rowsSha256: Buffer;
}

/** What completing a job writes. */
export interface Completion {
  readonly completedAt: Date;
  readonly total: number;
  readonly matched: number;
  readonly rowsSha256: Buffer;
}

/** Finished jobs and their rows. Every statement is short, so that uploads and readings let others in between. */
@Injectable()
export class JobStore extends MappingResults {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  /** Opens a job that nobody sees until it is completed. */
  async open(job: Pick<JobCompleted, 'jobId' | 'workspaceId' | 'agentId'>): Promise<string> {
    const [opened] = await rows<{ number: string }>(
      this.dataSource,
      `INSERT INTO host_mapping_job (id, workspace_id, agent_id, state) VALUES ($1, $2, $3, 'RECEIVING') RETURNING number`,
      [job.jobId, job.workspaceId, job.agentId],
    );
    if (!opened) throw new Error('INSERT … RETURNING gave no row');
    return opened.number;
  }

  async append(number: string, firstOrdinal: number, batch: readonly MappingResultRow[]): Promise<void> {
    await rows(this.dataSource, APPEND, [
      number,
      firstOrdinal,
      batch.map((row) => row.partnerRowId),
      batch.map((row) => row.referenceHotelId),
      batch.map((row) => row.matchMethod),
      batch.map((row) => row.matchConfidence),
    ]);
  }

  /** @throws a unique violation when a job of this id is completed already */
  async complete(session: Session, number: string, completion: Completion): Promise<void> {
    const { completedAt, total, matched, rowsSha256 } = completion;
    await rows(session, COMPLETE, [number, completedAt, total, matched, rowsSha256]);
  }

  /** Removes a job that was not completed. */
  async discard(number: string): Promise<void> {
    for (let removed = REMOVE_ROWS; removed === REMOVE_ROWS;) {
      const gone = await rows(this.dataSource, REMOVE_SOME, [number, REMOVE_ROWS]);
      removed = gone.length;
    }
    await rows(this.dataSource, `DELETE FROM host_mapping_job WHERE number = $1 AND state = 'RECEIVING'`, [number]);
  }

  /** @returns the numbers of the uploads that began so long ago and are still not completed */
  async listUnfinished(minutesAgo: number): Promise<string[]> {
    const found = await rows<{ number: string }>(
      this.dataSource,
      `SELECT number FROM host_mapping_job
        WHERE state = 'RECEIVING' AND received_at <= now() - make_interval(mins => $1)`,
      [minutesAgo],
    );
    return found.map(({ number }) => number);
  }

  /** Of any workspace: job ids are unique on the whole platform. */
  async findById(jobId: string): Promise<StoredJob | null> {
    const [found] = await rows<JobRow>(this.dataSource, `${SELECT_JOBS} AND id = $1`, [jobId]);
    return found ? toStoredJob(found) : null;
  }

  override async findCompletedJob(workspaceId: string, jobId: string): Promise<JobCompleted | null> {
    // The form of a job's id is the caller's choice; PostgreSQL fails when asked for a NUL.
    const job = jobId.includes('\0') ? null : await this.findById(jobId);
    return job?.workspaceId === workspaceId ? job : null;
  }

  override async streamRows({ jobId }: JobKey): Promise<AsyncIterable<readonly MappingResultRow[]> | null> {
    const [job] = await rows<{ number: string }>(
      this.dataSource,
      `SELECT number FROM host_mapping_job WHERE id = $1 AND state = 'COMPLETED'`,
      [jobId],
    );
    return job ? this.pages(job.number) : null;
  }

  override async listCompletedSince(since: Date, afterJobId: string | null, limit: number): Promise<JobCompleted[]> {
    const found = await rows<JobRow>(this.dataSource, LIST_SINCE, [since, afterJobId, limit]);
    return found.map(toStoredJob);
  }

  private async *pages(number: string): AsyncGenerator<readonly MappingResultRow[]> {
    for (let from = 0; ; from += PAGE_ROWS) {
      // Ordinals are dense from 0, so a page's bounds need no look at the page before.
      const page = await rows<MappingResultRow>(this.dataSource, READ_PAGE, [number, from, from + PAGE_ROWS]);
      if (page.length > 0) yield page;
      if (page.length < PAGE_ROWS) return;
    }
  }
}

interface JobRow {
  readonly id: string;
  readonly workspace_id: string;
  readonly agent_id: string;
  readonly completed_at: Date;
  readonly total: number;
  readonly matched: number;
  readonly rows_sha256: Buffer;
}

function toStoredJob(row: JobRow): StoredJob {
  return {
    jobId: row.id,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    completedAt: row.completed_at,
    stats: { total: row.total, matched: row.matched, unmatched: row.total - row.matched },
    rowsSha256: Buffer.from(row.rows_sha256),
  };
}

const APPEND = `
INSERT INTO host_mapping_result (job_number, ordinal, partner_row_id, reference_hotel_id, match_method, match_confidence)
SELECT $1, $2::int + n - 1, r.a, r.b, r.c, r.d
  FROM unnest($3::text[], $4::text[], $5::text[], $6::float8[]) WITH ORDINALITY AS r (a, b, c, d, n)`;

const COMPLETE = `
UPDATE host_mapping_job
   SET state = 'COMPLETED', completed_at = $2, total = $3, matched = $4, rows_sha256 = $5
 WHERE number = $1 AND state = 'RECEIVING'`;

const REMOVE_SOME = `
DELETE FROM host_mapping_result
 WHERE job_number = $1
   AND ordinal IN (SELECT ordinal FROM host_mapping_result WHERE job_number = $1 ORDER BY ordinal LIMIT $2)
RETURNING 1`;

const SELECT_JOBS = `
SELECT id, workspace_id, agent_id, completed_at, total, matched, rows_sha256
  FROM host_mapping_job WHERE state = 'COMPLETED'`;

const LIST_SINCE = `${SELECT_JOBS}
   AND completed_at >= $1
   AND ($2::text IS NULL OR (completed_at, id) >
        (SELECT completed_at, id FROM host_mapping_job WHERE id = $2 AND state = 'COMPLETED'))
 ORDER BY completed_at, id LIMIT $3`;

const READ_PAGE = `
SELECT partner_row_id AS "partnerRowId", reference_hotel_id AS "referenceHotelId", match_method AS "matchMethod",
       match_confidence AS "matchConfidence"
  FROM host_mapping_result WHERE job_number = $1 AND ordinal >= $2 AND ordinal < $3 ORDER BY ordinal`;
