import { columns, type Database, rows } from './database.js';

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
          FROM agent_data_source a JOIN unnest($1::text[], $2::int[]) AS d (id, failures) ON d.id = a.id
         ORDER BY a.id FOR NO KEY UPDATE OF a) d
 WHERE s.id = d.id AND (s.paused_until > now()) IS NOT TRUE
RETURNING s.workspace_id, s.id, s.paused_until`;

/** Counts failures, and pauses those sinks that have had enough of them. @returns the sinks that are paused from now */
export async function pauseDownSinks(
  database: Database,
  down: readonly DownSink[],
  rule: PauseRule,
): Promise<PausedSink[]> {
  const counted = await rows<{ workspace_id: string; id: string; paused_until: Date | null }>(database, PAUSE, [
    ...columns(
      down,
      (d) => d.dataSourceId,
      (d) => d.failures,
    ),
    ...[rule.failures, rule.pauseMs, rule.longestMs],
  ]);
  return counted.flatMap(({ workspace_id, id, paused_until }) =>
    paused_until === null ? [] : [{ workspaceId: workspace_id, dataSourceId: id, pausedUntil: paused_until }],
  );
}

/** Ends the pauses of sinks whose receivers have answered. @returns whether any of them was paused */
export async function resumeSinks(database: Database, dataSourceIds: readonly string[]): Promise<boolean> {
  const resumed = await rows<{ paused: boolean }>(
    database,
    `UPDATE agent_data_source s SET failures_in_row = 0, paused_until = NULL
       FROM (SELECT id, paused_until FROM agent_data_source WHERE id = ANY ($1::text[])
              ORDER BY id FOR NO KEY UPDATE) b
      WHERE s.id = b.id AND s.failures_in_row > 0
     RETURNING b.paused_until IS NOT NULL AS paused`,
    [dataSourceIds],
  );
  return resumed.some(({ paused }) => paused);
}
