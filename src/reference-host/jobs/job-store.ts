import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  invalidHostId,
  type JobCompleted,
  type JobKey,
  MappingResults,
  type MappingResultRow,
} from '../../data-sinks/index.js';
import { rows, type Session } from '../persistence/sql.js';

const PAGE_ROWS = 1_000;
const REMOVE_ROWS = 5_000;

/** A completed job as stored. */
export interface StoredJob extends JobCompleted {
  readonly rowsSha256: Buffer;
}

/** The values that completing a job writes. */
export interface Completion {
  readonly completedAt: Date;
  readonly total: number;
  readonly matched: number;
  readonly rowsSha256: Buffer;
}

/** Completed jobs and their rows. Every statement is short, so that uploads and reads do not block others. */
@Injectable()
export class JobStore extends MappingResults {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  /** Opens a job that is invisible until it is completed. */
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

  /** @throws a unique violation when its workspace already has a completed job with this id */
  async complete(session: Session, number: string, completion: Completion): Promise<void> {
    const { completedAt, total, matched, rowsSha256 } = completion;
    await rows(session, COMPLETE, [number, completedAt, total, matched, rowsSha256]);
  }

  /** Deletes a job that was not completed. @param isStopping asked between two statements: what is left stays for later */
  async discard(number: string, isStopping: () => boolean = () => false): Promise<void> {
    const [last] = await rows<{ ordinal: number | null }>(this.dataSource, LAST_ORDINAL, [number]);
    // By ranges of the key: a statement that looks for the first rows reads past all that were removed before.
    for (let from = 0; from <= (last?.ordinal ?? -1); from += REMOVE_ROWS) {
      await rows(this.dataSource, REMOVE_RANGE, [number, from, from + REMOVE_ROWS]);
      if (isStopping()) return;
      await nextTurn();
    }
    await rows(this.dataSource, `DELETE FROM host_mapping_job WHERE number = $1 AND state = 'RECEIVING'`, [number]);
  }

  /** @returns the numbers of uploads older than this that are not completed */
  async listUnfinished(minutesAgo: number): Promise<string[]> {
    const found = await rows<{ number: string }>(
      this.dataSource,
      `SELECT number FROM host_mapping_job
        WHERE state = 'RECEIVING' AND received_at <= now() - make_interval(mins => $1)`,
      [minutesAgo],
    );
    return found.map(({ number }) => number);
  }

  override async findCompletedJob(workspaceId: string, jobId: string): Promise<StoredJob | null> {
    // Callers choose job ids, and PostgreSQL rejects NUL with an error.
    if (invalidHostId(jobId) !== null) return null;
    const [found] = await rows<JobRow>(this.dataSource, `${SELECT_JOBS} AND workspace_id = $1 AND id = $2`, [
      workspaceId,
      jobId,
    ]);
    return found ? toStoredJob(found) : null;
  }

  override async streamRows({
    workspaceId,
    jobId,
  }: JobKey): Promise<AsyncIterable<readonly MappingResultRow[]> | null> {
    const [job] = await rows<{ number: string }>(
      this.dataSource,
      `SELECT number FROM host_mapping_job WHERE workspace_id = $1 AND id = $2 AND state = 'COMPLETED'`,
      [workspaceId, jobId],
    );
    return job ? this.pages(job.number) : null;
  }

  override async listCompletedSince(since: Date, after: JobCompleted | null, limit: number): Promise<JobCompleted[]> {
    const found = await rows<JobRow>(this.dataSource, LIST_SINCE, [
      ...[since, limit],
      ...[after?.completedAt ?? null, after?.workspaceId ?? null, after?.jobId ?? null],
    ]);
    return found.map(toStoredJob);
  }

  private async *pages(number: string): AsyncGenerator<readonly MappingResultRow[]> {
    for (let from = 0; ; from += PAGE_ROWS) {
      // Ordinals are dense from 0, so a page can be computed without reading the previous one.
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

const LAST_ORDINAL = 'SELECT max(ordinal) AS ordinal FROM host_mapping_result WHERE job_number = $1';

const REMOVE_RANGE = 'DELETE FROM host_mapping_result WHERE job_number = $1 AND ordinal >= $2 AND ordinal < $3';

const SELECT_JOBS = `
SELECT id, workspace_id, agent_id, completed_at, total, matched, rows_sha256
  FROM host_mapping_job WHERE state = 'COMPLETED'`;

const LIST_SINCE = `${SELECT_JOBS}
   AND completed_at >= $1
   AND ($3::timestamptz IS NULL OR (completed_at, id, workspace_id) > ($3, $5::text, $4::text))
 ORDER BY completed_at, id, workspace_id LIMIT $2`;

const READ_PAGE = `
SELECT partner_row_id AS "partnerRowId", reference_hotel_id AS "referenceHotelId", match_method AS "matchMethod",
       match_confidence AS "matchConfidence"
  FROM host_mapping_result WHERE job_number = $1 AND ordinal >= $2 AND ordinal < $3 ORDER BY ordinal`;
