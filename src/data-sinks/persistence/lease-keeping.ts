import type { CancelReason, DeliveryReason } from '../core/delivery.js';
import type { DataSinkPushEvent } from '../core/domain-events.js';
import { columns, type Database, rows, type Session } from './database.js';
import { PUSH_COLUMNS, type PushRow, toPush } from './push-row.js';

/** A delivery in a worker's hands: its id and the token that proves it. */
export interface LeaseHolder {
  readonly id: string;
  readonly leaseToken: string;
}

/**
 * One that is being written at this moment is passed by and counts as held: its attempt is being opened or closed, or the
 * sweeper takes it, which the next time tells. Waiting for it, with others locked, would be a deadlock: attempts are
 * written in batches too, and in another order.
 */
const EXTEND = `
WITH held AS MATERIALIZED (
  SELECT d.id, d.lease_token FROM agent_data_source_delivery d
    JOIN unnest($1::text[], $2::uuid[]) AS h (id, lease_token) ON d.id = h.id AND d.lease_token = h.lease_token
   WHERE d.status || '' = 'IN_FLIGHT'
),
free AS MATERIALIZED (
  SELECT d.id FROM agent_data_source_delivery d JOIN held h ON d.id = h.id AND d.lease_token = h.lease_token
   WHERE d.status || '' = 'IN_FLIGHT' FOR UPDATE OF d SKIP LOCKED
),
extended AS (
  UPDATE agent_data_source_delivery d SET lease_expires_at = now() + $3::int * interval '1 millisecond'
    FROM free f WHERE d.id = f.id
)
SELECT lease_token FROM held`;

/** Extends leases. @returns the tokens of those still held; the others were taken and must not be written any more */
export async function extendLeases(
  database: Database,
  held: readonly LeaseHolder[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  const kept = await rows<{ lease_token: string }>(database, EXTEND, [
    ...columns(
      held,
      (h) => h.id,
      (h) => h.leaseToken,
    ),
    leaseMs,
  ]);
  return new Set(kept.map((row) => row.lease_token));
}

/** Failures of our own side in a row: they space out what follows, and beyond so many no further. */
export const ONE_MORE_OWN_FAILURE = 'least(d.own_failures + 1, 1000)';

/** The status of a delivery that is given back. */
export const AS_BEFORE = `CASE WHEN d.attempt_count = 0 AND d.trigger <> 'REDELIVERY' THEN 'PENDING' ELSE 'RETRYING' END`;

export interface Release extends LeaseHolder {
  /** When it is to be tried again; null for a part that waits for others, which make it due. */
  readonly waitMs: number | null;
  /** Whether our own side failed, which spaces out what follows. */
  readonly ownFailure: boolean;
}

/** Gives deliveries back untried: nothing was sent, so no attempt is recorded and no retry spent. */
export async function releaseDeliveries(database: Database, releases: readonly Release[]): Promise<void> {
  await database.query(
    `UPDATE agent_data_source_delivery d
        SET status = ${AS_BEFORE},
            next_attempt_at = now() + r.wait_ms * interval '1 millisecond',
            own_failures = CASE WHEN r.own_failure THEN ${ONE_MORE_OWN_FAILURE} ELSE d.own_failures END,
            lease_token = NULL, lease_expires_at = NULL, updated_at = now()
       FROM unnest($1::text[], $2::uuid[], $3::float8[], $4::bool[]) AS r (id, lease_token, wait_ms, own_failure)
      WHERE d.id = r.id AND d.lease_token = r.lease_token AND d.status = 'IN_FLIGHT'`,
    columns(
      releases,
      (r) => r.id,
      (r) => r.leaseToken,
      (r) => r.waitMs,
      (r) => r.ownFailure,
    ),
  );
}

export type Ending = LeaseHolder &
  (
    | { readonly status: 'CANCELLED'; readonly reason: CancelReason }
    | { readonly status: 'FAILED'; readonly reason: DeliveryReason }
  );

/**
 * Settles deliveries without an attempt: the gate said no, or there is nothing to send.
 * @returns the ids of those that were still held
 */
export async function endDeliveries(database: Database, endings: readonly Ending[]): Promise<ReadonlySet<string>> {
  const ended = await rows<{ id: string }>(
    database,
    `UPDATE agent_data_source_delivery d
        SET status = e.status, reason = e.reason, settled_at = now(), next_attempt_at = NULL,
            lease_token = NULL, lease_expires_at = NULL, updated_at = now()
       FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[]) AS e (id, lease_token, status, reason)
      WHERE d.id = e.id AND d.lease_token = e.lease_token AND d.status = 'IN_FLIGHT'
     RETURNING d.id`,
    columns(
      endings,
      (e) => e.id,
      (e) => e.leaseToken,
      (e) => e.status,
      (e) => e.reason,
    ),
  );
  return new Set(ended.map((row) => row.id));
}

/** What the sweeper did about leases that ran out. */
export interface SweptLease extends DataSinkPushEvent {
  readonly status: 'PENDING' | 'RETRYING' | 'FAILED';
}

const LOCK_EXPIRED = `
SELECT id FROM agent_data_source_delivery
 WHERE status = 'IN_FLIGHT' AND lease_expires_at < now()
 ORDER BY lease_expires_at LIMIT $1::int FOR UPDATE SKIP LOCKED`;

const TAKE_BACK = `
WITH closed AS (
  UPDATE agent_data_source_sync a
     SET status = 'ABANDONED', error_code = 'worker_lost', finished_at = now()
   WHERE a.delivery_id = ANY ($2::text[]) AND a.status = 'IN_FLIGHT'
  RETURNING a.delivery_id
)
UPDATE agent_data_source_delivery d
   SET status = CASE WHEN d.abandoned + 1 >= $1::int THEN 'FAILED'
                     ELSE ${AS_BEFORE} END,
       reason = CASE WHEN d.abandoned + 1 >= $1::int THEN 'abandoned_too_often' END,
       next_attempt_at = CASE WHEN d.abandoned + 1 < $1::int THEN now() END,
       settled_at = CASE WHEN d.abandoned + 1 >= $1::int THEN now() END,
       abandoned = d.abandoned + 1,
       last_attempt_status = CASE WHEN c.delivery_id IS NULL THEN d.last_attempt_status ELSE 'ABANDONED' END,
       last_error_code = CASE WHEN c.delivery_id IS NULL THEN d.last_error_code ELSE 'worker_lost' END,
       lease_token = NULL, lease_expires_at = NULL, updated_at = now()
  FROM unnest($2::text[]) e (id) LEFT JOIN closed c ON c.delivery_id = e.id
 WHERE d.id = e.id
RETURNING d.status, ${PUSH_COLUMNS}`;

/** Sweepers pass by what is locked. A process that is stopped between two statements must not keep it from them. */
export const IDLE_TIMEOUT = '5s';

/**
 * Takes back deliveries whose worker is gone. Their open attempt row is closed as `ABANDONED`; that was our failure and
 * spends none of the customer's retries, but a delivery that takes its worker down again and again ends `FAILED`.
 *
 * Locked first, and then, by a statement of its own, looked at: a worker that was only late may have opened an attempt
 * a moment before, and the statement that finds the lease run out would not see the row.
 */
export async function sweepExpiredLeases(session: Session, maxAbandoned: number, limit = 500): Promise<SweptLease[]> {
  return session.transaction(async (transaction) => {
    await transaction.query(`SET LOCAL idle_in_transaction_session_timeout = '${IDLE_TIMEOUT}'`);
    const expired = await rows<{ id: string }>(transaction, LOCK_EXPIRED, [limit]);
    if (expired.length === 0) return [];
    const ids = expired.map(({ id }) => id);
    const swept = await rows<SweptRow>(transaction, TAKE_BACK, [maxAbandoned, ids]);
    return swept.map((row) => ({ ...toPush(row), status: row.status }));
  });
}

type SweptRow = PushRow & Pick<SweptLease, 'status'>;
