import { Injectable } from '@nestjs/common';
import type { Recovery, RecoverySurvey } from '../domain/recovery.js';
import { type Page, type PageRequest, toPage } from '../database/page.js';
import { countStanding } from './recovery-pacer.sql.js';
import { Database } from '../database/database.js';
import { millisecondsOf, type TimesAsNumbers, withTimes } from '../database/value-parsers.js';

/** A sink and the workspace of the caller. */
export interface RecoveryScope {
  readonly workspaceId: string;
  readonly dataSourceId: string;
}

export type NewRecovery = Pick<
  Recovery,
  'id' | 'workspaceId' | 'agentId' | 'dataSourceId' | 'since' | 'until' | 'total' | 'requestedBy'
>;

const READ = `
SELECT r.id, r.workspace_id AS "workspaceId", r.agent_id AS "agentId", r.data_source_id AS "dataSourceId",
       r.status, r.reason, ${millisecondsOf('r.since')} AS since, ${millisecondsOf('r.until')} AS until,
       r.total, r.redelivered,
       r.delivered + coalesce(s.delivered, 0) AS delivered, r.failed + coalesce(s.failed, 0) AS failed,
       r.cancelled + coalesce(s.cancelled, 0) AS cancelled, coalesce(s.waiting, 0) AS waiting,
       json_build_object('type', r.requested_by_type, 'id', r.requested_by_id) AS "requestedBy",
       ${millisecondsOf('r.created_at')} AS "createdAt", ${millisecondsOf('r.finished_at')} AS "finishedAt"
  FROM agent_data_source_recovery r
  LEFT JOIN LATERAL (${countStanding('r.id')}) s ON r.finished_at IS NULL
 WHERE r.workspace_id = $1 AND r.data_source_id = $2`;

/** Truncated to milliseconds, as in JavaScript. */
const UNTIL = `least(coalesce($4::timestamptz, now()), date_trunc('milliseconds', now()))`;

/**
 * One index scan that stops one entry after the limit. The bounds must stand inline: taken from a row of the
 * same statement, the planner could not estimate the range and would read all failed deliveries.
 */
const SURVEY = `
WITH found AS MATERIALIZED (
  SELECT settled_at FROM agent_data_source_delivery
   WHERE workspace_id = $1 AND data_source_id = $2 AND status = 'FAILED'
     AND settled_at >= $3::timestamptz AND settled_at < ${UNTIL}
   ORDER BY settled_at LIMIT $5::int + 1
)
SELECT ${millisecondsOf('now()')} AS now, ${millisecondsOf(UNTIL)} AS until, (SELECT count(*)::int FROM found) AS failed,
       (SELECT ${millisecondsOf('settled_at')} FROM found ORDER BY settled_at OFFSET $5::int) AS "limitReachedAt",
       (SELECT id FROM agent_data_source_recovery WHERE data_source_id = $2 AND status = 'RUNNING') AS "runningId"`;

/** Recoveries as the API creates and reads them. `recovery-pacer.ts` makes their deliveries due. */
@Injectable()
export class RecoveryRepository {
  constructor(private readonly database: Database) {}

  /** @param limit maximum number of deliveries of one recovery */
  async survey(
    { workspaceId, dataSourceId }: RecoveryScope,
    { since, until }: { readonly since: Date; readonly until?: Date | undefined },
    limit: number,
  ): Promise<RecoverySurvey> {
    const [found] = await this.database.query<TimesAsNumbers<RecoverySurvey>>(SURVEY, [
      ...[workspaceId, dataSourceId, since, until ?? null, limit],
    ]);
    if (!found) throw new Error('a survey is always one row');
    return withTimes<RecoverySurvey>(found, 'now', 'until', 'limitReachedAt');
  }

  /** Starts a recovery; an empty one is finished at once. @returns false when one of this sink is running */
  async start(recovery: NewRecovery, database: Database): Promise<boolean> {
    const { id, workspaceId, agentId, dataSourceId, since, until, total, requestedBy } = recovery;
    const made = await database.query(
      `INSERT INTO agent_data_source_recovery
         (id, workspace_id, agent_id, data_source_id, since, until, total, requested_by_type, requested_by_id,
          status, created_at, finished_at)
       SELECT $1, $2, $3, $4, $5, $6, $7::int, $8, $9,
              CASE WHEN $7::int = 0 THEN 'DONE' ELSE 'RUNNING' END, now(), CASE WHEN $7::int = 0 THEN now() END
       ON CONFLICT (data_source_id) WHERE status = 'RUNNING' DO NOTHING
       RETURNING id`,
      [id, workspaceId, agentId, dataSourceId, since, until, total, requestedBy.type, requestedBy.id],
    );
    return made.length === 1;
  }

  async find({ workspaceId, dataSourceId }: RecoveryScope, id: string): Promise<Recovery | null> {
    const [found] = await this.database.query<TimesAsNumbers<Recovery>>(`${READ} AND r.id = $3`, [
      workspaceId,
      dataSourceId,
      id,
    ]);
    return found ? toRecovery(found) : null;
  }

  /** Newest first. */
  async list({ workspaceId, dataSourceId }: RecoveryScope, { limit, afterId }: PageRequest): Promise<Page<Recovery>> {
    const found = await this.database.query<TimesAsNumbers<Recovery>>(
      `${READ} AND ($3::text IS NULL OR r.id < $3) ORDER BY r.id DESC LIMIT $4`,
      [workspaceId, dataSourceId, afterId, limit + 1],
    );
    return toPage(found, limit, toRecovery);
  }
}

function toRecovery(row: TimesAsNumbers<Recovery>): Recovery {
  return withTimes<Recovery>(row, 'since', 'until', 'createdAt', 'finishedAt');
}
