/**
 * Conditions and orders that only one index fits, whatever the planner's statistics. Statistics are as old as the last
 * ANALYZE. Taken during a backlog, they say that most rows wait; scanning the table from its start then looks cheaper
 * than an index, although it reads every delivery settled since.
 *
 * An ORDER BY with LIMIT favours an index in this order. Columns compared with `=` do not count in an order, and leave
 * a choice of indexes; columns between two bounds do count. Where rows are looked up by id, other columns are compared
 * as expressions (`status
 *
 * ''`), which no index fits.
 *
 * If the statistics say that one row waits, all indexes of waiting rows cost the same, and the smallest is chosen and
 * scanned. The index of due rows therefore has its own condition, so that only statements that require a time can use
 * it.
 */

/** `ix_agent_data_source_delivery_waiting`. */
export const WAITING_ORDER = 'ORDER BY d.workspace_id, d.data_source_id, d.status, d.next_attempt_at';

/** `ix_agent_data_source_delivery_sending`. */
export const SENDING_ORDER = 'ORDER BY d.workspace_id, d.data_source_id';

/** Waiting and due deliveries `d` of a sink, new or retried, longest due first. */
export function dueOf(workspace: string, sink: string, status: 'PENDING' | 'RETRYING', until = 'now()'): string {
  return `d.workspace_id = ${workspace} AND d.data_source_id = ${sink} AND d.status IN ('PENDING', 'RETRYING')
    AND (d.status, d.next_attempt_at) >= ('${status}', '-infinity') AND (d.status, d.next_attempt_at) <= ('${status}', ${until})
  ORDER BY d.status, d.next_attempt_at`;
}
