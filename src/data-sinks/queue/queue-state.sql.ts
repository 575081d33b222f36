import type { Database } from '../database/database.js';
import { SENDING_ORDER, WAITING_ORDER } from '../database/index-orders.js';
import type { QueueState } from '../telemetry/gauges.js';
import { lateness, type LatenessLimits } from './lateness.sql.js';
import { countWorkers } from './workers.sql.js';

/** Waiting deliveries and those in flight, each counted up to 100,000, how late the oldest is, and who works. */
export async function queueState(database: Database, limits: LatenessLimits): Promise<QueueState> {
  const [counted] = await database.query<{
    waiting: number;
    in_flight: number;
  }>(`SELECT (SELECT count(*)::int FROM (SELECT FROM agent_data_source_delivery d
               WHERE d.status IN ('PENDING', 'RETRYING') ${WAITING_ORDER} LIMIT 100000) w) AS waiting,
            (SELECT count(*)::int FROM (SELECT FROM agent_data_source_delivery d
               WHERE d.status = 'IN_FLIGHT' ${SENDING_ORDER} LIMIT 100000) f) AS in_flight`);
  return {
    waiting: counted?.waiting ?? 0,
    inFlight: counted?.in_flight ?? 0,
    ...(await lateness(database, limits)),
    workers: await countWorkers(database),
  };
}
