import { oldestDueAgeMs } from './next-due.js';
import { type Database, rows } from './database.js';

/** Deliveries that wait and that are in flight, each counted up to 100,000, and how late the oldest due one is. */
export async function queueState(
  database: Database,
): Promise<{ readonly waiting: number; readonly inFlight: number; readonly oldestDueAgeMs: number }> {
  const [counted] = await rows<{ waiting: number; in_flight: number }>(
    database,
    `SELECT (SELECT count(*)::int FROM (SELECT FROM agent_data_source_delivery
               WHERE status IN ('PENDING', 'RETRYING') LIMIT 100000) w) AS waiting,
            (SELECT count(*)::int FROM (SELECT FROM agent_data_source_delivery
               WHERE status = 'IN_FLIGHT' LIMIT 100000) f) AS in_flight`,
  );
  return {
    waiting: counted?.waiting ?? 0,
    inFlight: counted?.in_flight ?? 0,
    oldestDueAgeMs: await oldestDueAgeMs(database),
  };
}
