import type { AttemptErrorCode } from '../domain/attempt.js';
import type { CancelReason, DeliveryReason } from '../domain/delivery.js';
import { auditEnds } from '../database/audit/outbox-entries.js';
import { BatchColumns } from '../database/batch-columns.js';
import type { Database } from '../database/database.js';
import { SENDING_ORDER } from '../database/index-orders.js';
import { type EndedPush, type EndedRow, PUSH_COLUMNS, SINK_TYPE, toEndedPush } from './push-row.js';
import { leasePrefixOf } from './this-worker.js';
import { GONE_WORKERS } from './workers.sql.js';

/** A claimed delivery: its id and its lease token. */
export interface LeaseHolder {
  readonly id: string;
  readonly leaseToken: string;
}

const HOLDER = new BatchColumns<LeaseHolder>({
  id: ['text', (h) => h.id],
  lease_token: ['uuid', (h) => h.leaseToken],
});

/**
 * Skips locked rows and counts them as held: their attempt is being opened or closed, or the sweeper takes them, which
 * the next heartbeat detects. Waiting for them could deadlock, since attempts are written in batches in another order.
 */
const EXTEND = `
WITH held AS MATERIALIZED (
  SELECT d.id, d.lease_token FROM agent_data_source_delivery d
    JOIN ${HOLDER.unnest('h')} ON d.id = h.id AND d.lease_token = h.lease_token
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

/** Extends leases. @returns the tokens that are still held; the others must not be written any more */
export async function extendLeases(
  database: Database,
  held: readonly LeaseHolder[],
  leaseMs: number,
): Promise<ReadonlySet<string>> {
  const kept = await database.prepared<{ lease_token: string }>(EXTEND, [...HOLDER.valuesOf(held), leaseMs]);
  return new Set(kept.map((row) => row.lease_token));
}

/** Maximum of the counter of our own consecutive failures, which determines the backoff. */
export const ONE_MORE_OWN_FAILURE = 'least(d.own_failures + 1, 1000)';

/** When the first of them was: until then the delivery was not late on our side's account. */
export const OWN_FAILING_SINCE = 'CASE WHEN d.own_failures = 0 THEN now() ELSE d.own_failing_since END';

/** The status of a released delivery. */
export const AS_BEFORE = `CASE WHEN d.attempt_count = 0 AND d.trigger <> 'REDELIVERY' THEN 'PENDING' ELSE 'RETRYING' END`;

export interface Release extends LeaseHolder {
  /** When it is due again; null for a part that waits for others. */
  readonly waitMs: number | null;
  /** Whether the failure was ours, which increases the backoff. */
  readonly ownFailure: boolean;
}

const RELEASED = new BatchColumns<Release>({
  id: ['text', (r) => r.id],
  lease_token: ['uuid', (r) => r.leaseToken],
  wait_ms: ['float8', (r) => r.waitMs],
  own_failure: ['bool', (r) => r.ownFailure],
});

/** Releases deliveries without an attempt: nothing was sent, so no attempt is recorded and no retry used. */
export async function releaseDeliveries(database: Database, releases: readonly Release[]): Promise<void> {
  await database.execute(
    `UPDATE agent_data_source_delivery d
        SET status = ${AS_BEFORE},
            next_attempt_at = now() + r.wait_ms * interval '1 millisecond',
            own_failures = CASE WHEN r.own_failure THEN ${ONE_MORE_OWN_FAILURE} ELSE d.own_failures END,
            own_failing_since = ${OWN_FAILING_SINCE},
            lease_token = NULL, lease_expires_at = NULL, updated_at = now()
       FROM ${RELEASED.unnest('r')}
      WHERE d.id = r.id AND d.lease_token = r.lease_token AND d.status || '' = 'IN_FLIGHT'`,
    RELEASED.valuesOf(releases),
  );
}

export type Ending = LeaseHolder &
  (
    | { readonly status: 'CANCELLED'; readonly reason: CancelReason }
    | { readonly status: 'FAILED'; readonly reason: DeliveryReason }
  );

const ENDING = new BatchColumns<Ending>({
  id: ['text', (e) => e.id],
  lease_token: ['uuid', (e) => e.leaseToken],
  status: ['text', (e) => e.status],
  reason: ['text', (e) => e.reason],
});

/**
 * Ends deliveries without an attempt: the gate refused them, or there is nothing to send.
 * @returns the ids of those whose lease was still held
 */
export async function endDeliveries(database: Database, endings: readonly Ending[]): Promise<ReadonlySet<string>> {
  const ended = await database.prepared<{ id: string }>(
    `WITH ended AS (
     UPDATE agent_data_source_delivery d
        SET status = e.status, reason = e.reason, settled_at = now(), next_attempt_at = NULL,
            lease_token = NULL, lease_expires_at = NULL, updated_at = now()
       FROM ${ENDING.unnest('e')}
      WHERE d.id = e.id AND d.lease_token = e.lease_token AND d.status || '' = 'IN_FLIGHT'
     RETURNING ${PUSH_COLUMNS}, d.status, d.reason
     ),
     ${auditEnds('ended')}
     SELECT id FROM ended`,
    ENDING.valuesOf(endings),
  );
  return new Set(ended.map((row) => row.id));
}

/** What the sweeper did with expired leases. */
export interface SweptLease extends EndedPush {
  readonly status: 'PENDING' | 'RETRYING' | 'FAILED';
}

/** Condition for deliveries whose worker will not finish them. `$1`: whether to include those of workers that are gone. */
const ORPHANED = `d.status = 'IN_FLIGHT' AND (d.lease_expires_at < now()
   OR $1::bool AND ${leasePrefixOf('d.lease_token::text')} = ANY (ARRAY(${GONE_WORKERS})))`;

/** In index order, so that the planner's estimates do not matter. */
const FIND_ORPHANED = `SELECT d.id FROM agent_data_source_delivery d WHERE ${ORPHANED} ${SENDING_ORDER} LIMIT 1`;

const LOCK_ORPHANED = `
SELECT d.id FROM agent_data_source_delivery d WHERE ${ORPHANED}
 ${SENDING_ORDER} LIMIT $2::int FOR UPDATE SKIP LOCKED`;

/**
 * A CTE `closed` that closes the open attempts of some deliveries, at most one each. Looks them up per delivery,
 * because the planner's estimate of attempts may be far off.
 * @param ids the parameter with the delivery ids
 */
export const closeOpenAttempts = (ids: string, errorCode: AttemptErrorCode): string => `
closed AS (
  UPDATE agent_data_source_sync a
     SET status = 'ABANDONED', error_code = '${errorCode}', finished_at = now()
    FROM unnest(${ids}::text[]) AS of (id)
   CROSS JOIN LATERAL (
     SELECT s.id, s.started_at FROM agent_data_source_sync s
      WHERE s.delivery_id BETWEEN of.id AND of.id AND s.status = 'IN_FLIGHT'
      ORDER BY s.delivery_id DESC, s.attempt_number DESC LIMIT 1) open
   WHERE a.id = open.id AND a.started_at = open.started_at
  RETURNING a.delivery_id
)`;

const TAKE_BACK = `
WITH ${closeOpenAttempts('$2', 'worker_lost')},
taken AS (
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
RETURNING ${PUSH_COLUMNS}, d.status, d.reason
),
${auditEnds('taken', `'ABANDONED', 'worker_lost', NULL::smallint`, `d.status = 'FAILED'`)}
SELECT d.*, ${SINK_TYPE} FROM taken d`;

/** Sweepers skip locked rows. A process stopped between two statements must not hold its locks for ever. */
export const IDLE_TIMEOUT = '5s';

export interface Sweep {
  /** Whether to take back the leases of workers that are certainly gone before they expire. */
  readonly includeGoneWorkers: boolean;
  /** Number of crashes after which a delivery ends `FAILED`. */
  readonly maxAbandoned: number;
  /** @default 500 */
  readonly limit?: number;
}

/**
 * Takes back deliveries whose worker died. Their open attempt is closed as `ABANDONED`. This is our failure and uses no
 * retry, but after `maxAbandoned` crashes the delivery ends `FAILED`.
 *
 * Locks first and reads in a second statement: a slow worker may have opened an attempt just before, and the statement
 * that finds the expired lease would not see that row.
 */
export async function sweepExpiredLeases(
  session: Database,
  { includeGoneWorkers, maxAbandoned, limit = 500 }: Sweep,
): Promise<SweptLease[]> {
  const found = await session.prepared(FIND_ORPHANED, [includeGoneWorkers]);
  if (found.length === 0) return [];
  return session.transaction(async (transaction) => {
    await transaction.execute(`SET LOCAL idle_in_transaction_session_timeout = '${IDLE_TIMEOUT}'`);
    const expired = await transaction.query<{ id: string }>(LOCK_ORPHANED, [includeGoneWorkers, limit]);
    if (expired.length === 0) return [];
    const ids = expired.map(({ id }) => id);
    const swept = await transaction.query<SweptRow>(TAKE_BACK, [maxAbandoned, ids]);
    return swept.map((row) => ({ ...toEndedPush(row), status: row.status }));
  });
}

type SweptRow = EndedRow & Pick<SweptLease, 'status'>;
