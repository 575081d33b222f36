/** The attempt that ended a delivery; none of one that ended unsent. */
const NO_ATTEMPT = 'NULL::text, NULL::text, NULL::smallint';

/**
 * A CTE `audited`: writes an entry into the outbox for each delivery that ended, in the statement that ends it.
 * @param ended a CTE of rows with `PUSH_COLUMNS`, status and reason
 * @param attempt status, error code and HTTP status of the attempt, as columns of `d`
 * @param where which of the rows have ended
 */
export const auditEnds = (ended: string, attempt = NO_ATTEMPT, where = 'true'): string => `
audited AS (
  INSERT INTO agent_data_source_audit_outbox
    (workspace_id, agent_id, data_source_id, delivery_id, job_id, run, recipe, trigger, attempt_count, status, reason,
     attempt_status, error_code, http_status)
  SELECT d.workspace_id, d.agent_id, d.data_source_id, d.id, d.job_id, d.run, d.recipe, d.trigger, d.attempt_count, d.status,
         d.reason, ${attempt}
    FROM ${ended} d WHERE ${where}
)`;
