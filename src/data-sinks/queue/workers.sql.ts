import type { Database } from '../database/database.js';
import { leasePrefixOf } from './this-worker.js';

/**
 * A worker without a heartbeat for this long may be gone. Longer than a heartbeat that times out on a dead connection
 * plus the next one on another connection (worker-presence.ts).
 */
export const GONE_AFTER_MS = 8_000;
/** A worker that was not seen for this long is not counted as alive. */
const ALIVE_WITHIN = `interval '30 seconds'`;
/** Rows of those that have gone without a word are kept this long, for whoever looks for them. */
const FORGOTTEN_AFTER = `interval '1 day'`;

/** A process that works, from its boot to its end. */
export interface WorkerProcess {
  /** Made anew at each boot. */
  readonly id: string;
  /** The option `workerId`. */
  readonly name: string;
}

/** Says that a worker is alive, by the database's clock, and over which of the database's processes it says so. */
export async function seeWorker(database: Database, { id, name }: WorkerProcess): Promise<void> {
  await database.execute(
    `INSERT INTO agent_data_source_worker (id, name, backend_pid, backend_started_at)
     VALUES ($1, $2, pg_backend_pid(), (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()))
     ON CONFLICT (id) DO UPDATE SET seen_at = now(), backend_pid = excluded.backend_pid,
       backend_started_at = excluded.backend_started_at`,
    [id, name],
  );
}

/**
 * SQL: the lease prefixes of workers that are certainly gone. Several heartbeats are missing, and PostgreSQL has closed
 * the connection of the last one, which it does as soon as a process dies. A slow or paused worker keeps its connection.
 * So does one behind a pooler or one that the network cut off; their leases expire instead.
 */
export const GONE_WORKERS = `
SELECT ${leasePrefixOf('w.id')} AS prefix FROM agent_data_source_worker w
 WHERE w.seen_at < now() - interval '${GONE_AFTER_MS} milliseconds' AND w.backend_pid IS NOT NULL
   AND NOT EXISTS (
     SELECT FROM pg_stat_activity a
      -- When it began is hidden from other roles.
      WHERE a.pid = w.backend_pid AND coalesce(a.backend_start = w.backend_started_at, true))`;

/** One that stops is not waited for, and one that was killed long ago is forgotten. */
export async function removeWorker(database: Database, id: string): Promise<void> {
  await database.execute(`DELETE FROM agent_data_source_worker WHERE id = $1 OR seen_at < now() - ${FORGOTTEN_AFTER}`, [
    id,
  ]);
}

/** How many workers are alive, of all processes on this database. */
export async function countWorkers(database: Database): Promise<number> {
  const [row] = await database.query<{ alive: number }>(
    `SELECT count(*)::int AS alive FROM agent_data_source_worker WHERE seen_at > now() - ${ALIVE_WITHIN}`,
  );
  return row?.alive ?? 0;
}
