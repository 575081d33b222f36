import { columns, type Database, rows } from './database.js';
import { AS_BEFORE, IDLE_TIMEOUT, type LeaseHolder, ONE_MORE_OWN_FAILURE } from './lease-keeping.js';

/** A delivery whose attempt could not be opened, and when it is to be tried again. */
export interface Unopened extends LeaseHolder {
  readonly waitMs: number;
}

/** In one order, so that two batches never wait for each other. */
const LOCK_HELD = `
SELECT d.lease_token FROM agent_data_source_delivery d
  JOIN unnest($1::text[], $2::uuid[]) AS u (id, lease_token) ON d.id = u.id AND d.lease_token = u.lease_token
 WHERE d.status || '' = 'IN_FLIGHT' ORDER BY d.id FOR UPDATE OF d`;

const RELEASE = `
WITH closed AS (
  UPDATE agent_data_source_sync a
     SET status = 'ABANDONED', error_code = 'internal_error', finished_at = now()
   WHERE a.delivery_id = ANY ($1::text[]) AND a.status = 'IN_FLIGHT'
  RETURNING a.delivery_id
)
UPDATE agent_data_source_delivery d
   SET status = ${AS_BEFORE},
       next_attempt_at = now() + u.wait_ms * interval '1 millisecond',
       own_failures = ${ONE_MORE_OWN_FAILURE},
       last_attempt_status = CASE WHEN c.delivery_id IS NULL THEN d.last_attempt_status ELSE 'ABANDONED' END,
       last_error_code = CASE WHEN c.delivery_id IS NULL THEN d.last_error_code ELSE 'internal_error' END,
       lease_token = NULL, lease_expires_at = NULL, updated_at = now()
  FROM unnest($1::text[], $2::float8[]) AS u (id, wait_ms) LEFT JOIN closed c ON c.delivery_id = u.id
 WHERE d.id = u.id`;

/**
 * Gives deliveries back whose attempts could not be opened: our own failure, and nothing was sent. Their rows may be on
 * record all the same, with only the answer lost, so open ones are closed as `ABANDONED`.
 *
 * Locked first, as for a sweep: the opening may be under way still, and one statement would not see its row. Openings
 * lock in an order of their own; of two that wait for each other PostgreSQL ends one, and the release is tried again.
 * @param transaction one that holds the locks from the first statement to the last
 * @param withinMs PostgreSQL gives a statement up after so long: nobody waits for it any more
 * @returns the lease tokens of those that were given back; the others are no longer their worker's
 */
export async function releaseUnopened(
  transaction: Database,
  unopened: readonly Unopened[],
  withinMs: number,
): Promise<ReadonlySet<string>> {
  await transaction.query(
    `SELECT set_config('idle_in_transaction_session_timeout', $1, true), set_config('statement_timeout', $2, true)`,
    [IDLE_TIMEOUT, `${Math.max(1, Math.ceil(withinMs))}ms`],
  );
  const locked = await rows<{ lease_token: string }>(
    transaction,
    LOCK_HELD,
    columns(
      unopened,
      (u) => u.id,
      (u) => u.leaseToken,
    ),
  );
  const tokens = new Set(locked.map((row) => row.lease_token));
  const held = unopened.filter(({ leaseToken }) => tokens.has(leaseToken));
  if (held.length > 0) {
    await transaction.query(
      RELEASE,
      columns(
        held,
        (u) => u.id,
        (u) => u.waitMs,
      ),
    );
  }
  return tokens;
}
