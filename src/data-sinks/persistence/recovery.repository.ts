import type { EntityManager } from 'typeorm';
import type { Recovery, RecoveryReason, RecoveryStatus } from '../core/recovery.js';
import { type Database, rows } from './database.js';
import { type Page, type PageRequest, toPage } from './page.js';
import { countStanding } from './recovery-pacing.js';

/** A sink, and the workspace that asks for it. */
export interface RecoveryScope {
  readonly workspaceId: string;
  readonly dataSourceId: string;
}

/** What a recovery would find. */
export interface RecoverySurvey {
  /** The database's time. */
  readonly now: Date;
  /** The time asked for, at most the present. */
  readonly until: Date;
  /** Deliveries that failed within the time; counted to one more than the limit. */
  readonly failed: number;
  /** When there are more than the limit: only so many failed before this time. Else null. */
  readonly limitReachedAt: Date | null;
  /** The recovery of this sink that is running; null when there is none. */
  readonly runningId: string | null;
}

export type NewRecovery = Pick<
  Recovery,
  'id' | 'workspaceId' | 'agentId' | 'dataSourceId' | 'since' | 'until' | 'total' | 'requestedBy'
>;

const READ = `
SELECT r.id, r.workspace_id, r.agent_id, r.data_source_id, r.status, r.reason, r.since, r.until, r.total, r.redelivered,
       r.delivered + coalesce(s.delivered, 0) AS delivered, r.failed + coalesce(s.failed, 0) AS failed,
       r.cancelled + coalesce(s.cancelled, 0) AS cancelled, coalesce(s.waiting, 0) AS waiting,
       r.requested_by_type, r.requested_by_id, r.created_at, r.finished_at
  FROM agent_data_source_recovery r
  LEFT JOIN LATERAL (${countStanding('r.id')}) s ON r.finished_at IS NULL
 WHERE r.workspace_id = $1 AND r.data_source_id = $2`;

/** Whole milliseconds, as JavaScript has them. */
const UNTIL = `least(coalesce($4::timestamptz, now()), date_trunc('milliseconds', now()))`;

/**
 * One look along an index, that ends one entry after the limit. The planner must see both ends of the time to know that:
 * in a row of the statement's own they would be of unknown length to it, and it would read all that failed.
 */
const SURVEY = `
WITH found AS MATERIALIZED (
  SELECT settled_at FROM agent_data_source_delivery
   WHERE workspace_id = $1 AND data_source_id = $2 AND status = 'FAILED'
     AND settled_at >= $3::timestamptz AND settled_at < ${UNTIL}
   ORDER BY settled_at LIMIT $5::int + 1
)
SELECT now() AS now, ${UNTIL} AS until, (SELECT count(*)::int FROM found) AS failed,
       (SELECT settled_at FROM found ORDER BY settled_at OFFSET $5::int) AS limit_reached_at,
       (SELECT id FROM agent_data_source_recovery WHERE data_source_id = $2 AND status = 'RUNNING') AS running_id`;

/** Recoveries as people ask for them and read them. What makes their deliveries due is in `recovery-pacing.ts`. */
export class RecoveryRepository {
  readonly #manager: EntityManager;

  constructor(manager: EntityManager) {
    this.#manager = manager;
  }

  /** @param limit deliveries of one recovery, at most */
  async survey(
    { workspaceId, dataSourceId }: RecoveryScope,
    { since, until }: { readonly since: Date; readonly until?: Date | undefined },
    limit: number,
  ): Promise<RecoverySurvey> {
    const [found] = await rows<SurveyRow>(this.#manager, SURVEY, [
      ...[workspaceId, dataSourceId, since, until ?? null, limit],
    ]);
    if (!found) throw new Error('a survey is always one row');
    return {
      now: found.now,
      until: found.until,
      failed: found.failed,
      limitReachedAt: found.limit_reached_at,
      runningId: found.running_id,
    };
  }

  /** Begins a recovery; one that found nothing is done at once. @returns false when one of this sink is running */
  async start(recovery: NewRecovery, database: Database): Promise<boolean> {
    const { id, workspaceId, agentId, dataSourceId, since, until, total, requestedBy } = recovery;
    const made = await rows(
      database,
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
    const [found] = await rows<RecoveryRow>(this.#manager, `${READ} AND r.id = $3`, [workspaceId, dataSourceId, id]);
    return found ? toRecovery(found) : null;
  }

  /** Newest first. */
  async list({ workspaceId, dataSourceId }: RecoveryScope, { limit, afterId }: PageRequest): Promise<Page<Recovery>> {
    const found = await rows<RecoveryRow>(
      this.#manager,
      `${READ} AND ($3::text IS NULL OR r.id < $3) ORDER BY r.id DESC LIMIT $4`,
      [workspaceId, dataSourceId, afterId, limit + 1],
    );
    return toPage(found, limit, toRecovery);
  }
}

interface SurveyRow {
  now: Date;
  until: Date;
  failed: number;
  limit_reached_at: Date | null;
  running_id: string | null;
}

interface RecoveryRow {
  id: string;
  workspace_id: string;
  agent_id: string;
  data_source_id: string;
  status: RecoveryStatus;
  reason: RecoveryReason | null;
  since: Date;
  until: Date;
  total: number;
  redelivered: number;
  delivered: number;
  failed: number;
  cancelled: number;
  waiting: number;
  requested_by_type: string;
  requested_by_id: string;
  created_at: Date;
  finished_at: Date | null;
}

function toRecovery(row: RecoveryRow): Recovery {
  const { id, status, reason, since, until, total, redelivered, delivered, failed, cancelled, waiting } = row;
  return {
    ...{ id, workspaceId: row.workspace_id, agentId: row.agent_id, dataSourceId: row.data_source_id },
    ...{ status, reason, since, until, total, redelivered, delivered, failed, cancelled, waiting },
    requestedBy: { type: row.requested_by_type, id: row.requested_by_id },
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
