import type { EntityManager } from 'typeorm';

/** Puts completions of jobs on record, each in one run: a delivery refers to one of its own workspace. */
export async function insertCompletions(
  database: Pick<EntityManager, 'query'>,
  jobIds: readonly string[],
  workspaceId = 'ws_1',
): Promise<void> {
  await database.query(
    `INSERT INTO agent_data_source_job (workspace_id, job_id, run, agent_id, completed_at, total, matched, unmatched)
     SELECT $2, j, 1, 'agt_1', '2026-05-25T12:34:56Z', 3, 2, 1 FROM unnest($1::text[]) j ON CONFLICT DO NOTHING`,
    [jobIds, workspaceId],
  );
}
