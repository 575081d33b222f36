import type { DataSink } from '../domain/data-sink.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';
import { millisecondsOf, timeOf } from '../database/value-parsers.js';

/** A sink whose receiver was found down. */
export interface DownSink {
  readonly dataSourceId: string;
  /** By so many attempts. */
  readonly failures: number;
}

export interface PauseRule {
  /** So many failures in a row, without any answer in between, pause a sink … */
  readonly failures: number;
  /** … for so long, and twice as long each time that it is found down again after a pause … */
  readonly pauseMs: number;
  /** … but never for longer than this. */
  readonly longestMs: number;
}

export interface PausedSink {
  readonly workspaceId: string;
  readonly dataSourceId: string;
  readonly pausedUntil: Date;
}

const DOWN = new BatchColumns<DownSink>({
  id: ['text', (d) => d.dataSourceId],
  failures: ['int', (d) => d.failures],
});

/** Up to the first pause each counts; after it there is one probe at a time. Of the row as it is locked. */
const FAILURES = `(CASE WHEN s.paused_until IS NULL THEN least(s.failures_in_row + d.failures, $3::int)
  ELSE s.failures_in_row + 1 END)`;

/**
 * What ends while the pause lasts was under way before it, and says nothing new. Locked in the order of their ids, here
 * and below: two workers must not wait for each other.
 */
const PAUSE = `
UPDATE agent_data_source s
   SET failures_in_row = ${FAILURES},
       paused_until = CASE WHEN ${FAILURES} >= $3::int
         THEN now() + interval '1 millisecond' * least($4::float8 * 2 ^ least(${FAILURES} - $3::int, 30), $5::float8) END
  FROM (SELECT a.id, d.failures
          FROM agent_data_source a JOIN ${DOWN.unnest('d')} ON d.id = a.id
         ORDER BY a.id FOR NO KEY UPDATE OF a) d
 WHERE s.id = d.id AND (s.paused_until > now()) IS NOT TRUE
RETURNING s.workspace_id, s.id, ${millisecondsOf('s.paused_until')} AS paused_until_ms`;

/** Counts failures, and pauses those sinks that have had enough of them. @returns the sinks that are paused from now */
export async function openCircuits(
  database: Database,
  down: readonly DownSink[],
  rule: PauseRule,
): Promise<PausedSink[]> {
  const counted = await database.prepared<{ workspace_id: string; id: string; paused_until_ms: number | null }>(PAUSE, [
    ...DOWN.valuesOf(down),
    ...[rule.failures, rule.pauseMs, rule.longestMs],
  ]);
  return counted.flatMap(({ workspace_id, id, paused_until_ms: untilMs }) =>
    untilMs === null ? [] : [{ workspaceId: workspace_id, dataSourceId: id, pausedUntil: timeOf(untilMs) }],
  );
}

/** Ends the pauses of sinks whose receivers have answered. @returns whether any of them was paused */
export async function closeCircuits(database: Database, dataSourceIds: readonly string[]): Promise<boolean> {
  const resumed = await database.prepared<{ paused: boolean }>(
    `UPDATE agent_data_source s SET failures_in_row = 0, paused_until = NULL
       FROM (SELECT id, paused_until FROM agent_data_source WHERE id = ANY ($1::text[])
              ORDER BY id FOR NO KEY UPDATE) b
      WHERE s.id = b.id AND s.failures_in_row > 0
     RETURNING b.paused_until IS NOT NULL AS paused`,
    [dataSourceIds],
  );
  return resumed.some(({ paused }) => paused);
}

/** Closes the circuit of one sink, if it has not changed since it was read. @returns whether it was open */
export async function closeCircuitOf(
  database: Database,
  { workspaceId, id, configVersion }: SinkAsRead,
): Promise<boolean> {
  const asRead = await database.query(
    'SELECT 1 FROM agent_data_source WHERE id = $1 AND workspace_id = $2 AND config_version = $3',
    [id, workspaceId, configVersion],
  );
  return asRead.length === 1 && closeCircuits(database, [id]);
}

/**
 * Reactivates a disabled sink, if it has not changed since it was read. Earlier failures no longer count.
 * @returns false when it is not disabled or was changed: a Test says nothing about its new configuration
 */
export async function reactivateSink(
  database: Database,
  { workspaceId, id, configVersion }: SinkAsRead,
): Promise<boolean> {
  const reactivated = await database.execute(
    `UPDATE agent_data_source
        SET status = 'ACTIVE', disabled_reason = NULL, disabled_at = NULL, reactivated_at = now(),
            failures_in_row = 0, paused_until = NULL, updated_at = now()
      WHERE id = $1 AND workspace_id = $2 AND config_version = $3 AND status = 'DISABLED' AND deleted_at IS NULL`,
    [id, workspaceId, configVersion],
  );
  return reactivated === 1;
}

type SinkAsRead = Pick<DataSink, 'workspaceId' | 'id' | 'configVersion'>;
