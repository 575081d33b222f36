import {
  AS_BEFORE,
  closeOpenAttempts,
  IDLE_TIMEOUT,
  type LeaseHolder,
  ONE_MORE_OWN_FAILURE,
  OWN_FAILING_SINCE,
} from '../queue/lease.sql.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';

/** A delivery whose attempt could not be opened, and when it is due again. */
export interface Unopened extends LeaseHolder {
  readonly waitMs: number;
}

const UNOPENED = new BatchColumns<Unopened>({
  id: ['text', (u) => u.id],
  lease_token: ['uuid', (u) => u.leaseToken],
  wait_ms: ['float8', (u) => u.waitMs],
});

/** Always in the same order, so that two batches cannot deadlock. */
const LOCK_HELD = `
SELECT d.lease_token FROM agent_data_source_delivery d
  JOIN ${UNOPENED.unnest('u')} ON d.id = u.id AND d.lease_token = u.lease_token
 WHERE d.status || '' = 'IN_FLIGHT' ORDER BY d.id FOR UPDATE OF d`;

const RELEASE = `
WITH ${closeOpenAttempts('$1', 'internal_error')}
UPDATE agent_data_source_delivery d
   SET status = ${AS_BEFORE},
       next_attempt_at = now() + u.wait_ms * interval '1 millisecond',
       own_failures = ${ONE_MORE_OWN_FAILURE}, own_failing_since = ${OWN_FAILING_SINCE},
       last_attempt_status = CASE WHEN c.delivery_id IS NULL THEN d.last_attempt_status ELSE 'ABANDONED' END,
       last_error_code = CASE WHEN c.delivery_id IS NULL THEN d.last_error_code ELSE 'internal_error' END,
       lease_token = NULL, lease_expires_at = NULL, updated_at = now()
  FROM ${UNOPENED.unnest('u')} LEFT JOIN closed c ON c.delivery_id = u.id
 WHERE d.id = u.id`;

/**
 * Releases deliveries whose attempts could not be opened: our own failure, nothing was sent. The insert may have
 * succeeded without an answer, so open attempts are closed as `ABANDONED`.
 *
 * Locks first, like a sweep: the opening may still be running, and a single statement would not see its row. Openings
 * lock in another order; PostgreSQL ends one side of a deadlock, and the release is retried.
 * @param transaction one that holds the locks from the first statement to the last
 * @param withinMs statement timeout: nobody waits any longer
 * @returns the lease tokens of the released deliveries; the others belong to another worker
 */
export async function releaseUnopened(
  transaction: Database,
  unopened: readonly Unopened[],
  withinMs: number,
): Promise<ReadonlySet<string>> {
  await transaction.execute(
    `SELECT set_config('idle_in_transaction_session_timeout', $1, true), set_config('statement_timeout', $2, true)`,
    [IDLE_TIMEOUT, `${Math.max(1, Math.ceil(withinMs))}ms`],
  );
  const locked = await transaction.query<{ lease_token: string }>(LOCK_HELD, UNOPENED.valuesOf(unopened));
  const tokens = new Set(locked.map((row) => row.lease_token));
  const held = unopened.filter(({ leaseToken }) => tokens.has(leaseToken));
  if (held.length > 0) await transaction.execute(RELEASE, UNOPENED.valuesOf(held));
  return tokens;
}
