import type { DataSource, EntityManager } from 'typeorm';
import { databaseOf } from '../database.js';

/** What is wrong with a workspace's audit entries. */
export interface BrokenAuditChain {
  readonly workspaceId: string;
  /** Place in the chain, from 1; where it first does not hold. */
  readonly seq: number;
  /**
   * - `changed`: the entry's hash does not fit its content and the entry before it
   * - `missing`: an entry between this one and the one before it is gone
   * - `cut`: the chain ends before its recorded end
   */
  readonly problem: 'changed' | 'missing' | 'cut';
}

/**
 * Recomputes every workspace's chain of audit entries.
 * @returns the first break of each workspace that has one; empty when all hold
 */
export async function verifyAuditChains(database: EntityManager | DataSource): Promise<BrokenAuditChain[]> {
  return databaseOf(database).query<BrokenAuditChain>(`WITH linked AS (
       SELECT a.workspace_id, a.seq, a.hash,
              agent_data_source_audit_hash(a, coalesce(lag(a.hash) OVER chain,
                sha256(convert_to(a.workspace_id, 'UTF8')))) AS expected,
              coalesce(lag(a.seq) OVER chain, 0) AS seq_before
         FROM agent_data_source_audit a
       WINDOW chain AS (PARTITION BY a.workspace_id ORDER BY a.seq)
     ),
     ends AS (
       SELECT h.workspace_id, h.seq, h.hash, last.seq AS last_seq, last.hash AS last_hash
         FROM agent_data_source_audit_head h
         LEFT JOIN LATERAL (SELECT a.seq, a.hash FROM agent_data_source_audit a
                             WHERE a.workspace_id = h.workspace_id ORDER BY a.seq DESC LIMIT 1) last ON true
     )
     SELECT DISTINCT ON (workspace_id) workspace_id AS "workspaceId", seq::float8 AS seq, problem FROM (
       SELECT workspace_id, seq, CASE WHEN seq <> seq_before + 1 THEN 'missing' ELSE 'changed' END AS problem
         FROM linked WHERE seq <> seq_before + 1 OR hash <> expected
       UNION ALL
       SELECT workspace_id, coalesce(last_seq, 0) + 1, 'cut' FROM ends
        WHERE seq <> coalesce(last_seq, 0) OR hash <> coalesce(last_hash, hash)
     ) AS breaks
     ORDER BY workspace_id, seq`);
}
