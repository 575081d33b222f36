import type { Database } from '../database/database.js';

const BATCH = 1_000;

/**
 * Makes due what waits only because our own side failed: what failed works again, and their back-off was for us. The first
 * failed first. A delivery that fails once more waits as long as its own count says.
 * @returns how many there were, `BATCH` at most
 */
const RELEASE = `
UPDATE agent_data_source_delivery d SET next_attempt_at = now(), updated_at = now()
 WHERE d.id = ANY (ARRAY(
         SELECT w.id FROM agent_data_source_delivery w
          WHERE w.own_failures > 0 AND w.status IN ('PENDING', 'RETRYING') AND w.next_attempt_at > now()
          ORDER BY w.own_failing_since LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))
   AND d.own_failures > 0 AND d.status || '' IN ('PENDING', 'RETRYING') AND d.next_attempt_at > now()`;

/** @param isStopping asked before each batch. @returns how many were made due */
export async function releaseOwnFailures(database: Database, isStopping: () => boolean): Promise<number> {
  let released = 0;
  for (let last = BATCH; last === BATCH && !isStopping(); released += last) last = await database.execute(RELEASE);
  return released;
}
