import type { ClaimedDelivery } from '../core/claimed-delivery.js';
import type { DataSinkStatus, HttpsWebhookConfig } from '../core/data-sink.js';
import { acceptTraceContext } from '../core/trace-context.js';
import { CLAIM } from './claim.statement.js';
import { type Database, rows } from './database.js';
import type { PushRow } from './push-row.js';

export interface ClaimLimits {
  /** At most so many deliveries in one claim. */
  readonly batch: number;
  /** At most so many in flight per sink, over all workers (two claims at the same instant may both fill the cap). */
  readonly inFlightPerSink: number;
  /** The same for all sinks of a workspace together. */
  readonly inFlightPerWorkspace: number;
  readonly leaseMs: number;
}

/** Where the claims of a worker are in their round. */
export interface ClaimPosition {
  /** The sink that had the last turn; empty for a first claim. */
  readonly after: string;
  /** Found to have no room: their sinks are passed by. */
  readonly fullWorkspaces: readonly string[];
}

export const FROM_THE_START: ClaimPosition = { after: '', fullWorkspaces: [] };

/** What a claim took, and where the next one goes on. */
export interface Claim {
  readonly deliveries: readonly ClaimedDelivery[];
  /** The last sink that was visited: the next claim begins behind it. */
  readonly lastSink: string;
  /** Whether every sink with something waiting has had its turn, and none has more that could go now. */
  readonly exhausted: boolean;
  /** Whether more was due than the caps, of a sink or a workspace, left room for. */
  readonly capped: boolean;
  /** Workspaces that have no room left now. */
  readonly fullWorkspaces: readonly string[];
  /** When sinks have more than their rate lets go now: after so long the next one may. */
  readonly pacedMs: number | null;
}

/** A claim visits so many sinks with something to offer: for some deliveries of each, but not for one sink's alone. */
const sinksToVisit = (batch: number): number => Math.max(Math.ceil(batch / 8), Math.min(batch, 8));

/** Takes due deliveries, fair across sinks, under a lease. The database's clock decides what is due. */
export async function claimDeliveries(
  database: Database,
  limits: ClaimLimits,
  { after, fullWorkspaces }: ClaimPosition = FROM_THE_START,
): Promise<Claim> {
  const { batch, inFlightPerSink, inFlightPerWorkspace, leaseMs } = limits;
  const claimed = await rows<ClaimRow>(database, CLAIM, [
    ...[batch, inFlightPerSink, leaseMs, after, sinksToVisit(batch)],
    ...[inFlightPerWorkspace, fullWorkspaces],
  ]);
  const [first] = claimed;
  if (!first) throw new Error('a claim answers with one row at least');
  return {
    deliveries: claimed.filter(isDelivery).map(toClaimedDelivery),
    lastSink: first.last_sink,
    exhausted: first.exhausted,
    capped: first.capped,
    fullWorkspaces: first.full_workspaces,
    pacedMs: first.paced_ms,
  };
}

type ClaimRow = {
  last_sink: string;
  exhausted: boolean;
  capped: boolean;
  full_workspaces: string[];
  paced_ms: number | null;
} & (ClaimedRow | { id: null });

function isDelivery(row: ClaimRow): row is ClaimRow & ClaimedRow {
  return row.id !== null;
}

interface ClaimedRow extends PushRow {
  claimed_at: Date;
  retries_allowed: number;
  retries_spent: number;
  own_failures: number;
  lease_token: string;
  completed_at: Date;
  total: string;
  matched: string;
  unmatched: string;
  traceparent: string | null;
  tracestate: string | null;
  config: HttpsWebhookConfig | null;
  config_version: number;
  sink_status: DataSinkStatus;
  deleted_at: Date | null;
  secret_id: string;
  failures_in_row: number;
  previous_secret_id: string | null;
  previous_secret_expires_at: Date | null;
  body_id: string | null;
  sha256: Buffer | null;
  byte_count: string;
  row_count: string;
}

function toClaimedDelivery(row: ClaimedRow): ClaimedDelivery {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    dataSourceId: row.data_source_id,
    jobId: row.job_id,
    run: row.run,
    recipe: row.recipe,
    trigger: row.trigger,
    attemptCount: row.attempt_count,
    retriesAllowed: row.retries_allowed,
    retriesSpent: row.retries_spent,
    ownFailures: row.own_failures,
    leaseToken: row.lease_token,
    claimedAt: row.claimed_at,
    completedAt: row.completed_at,
    stats: { total: Number(row.total), matched: Number(row.matched), unmatched: Number(row.unmatched) },
    sink: row.config && {
      config: row.config,
      configVersion: row.config_version,
      status: row.sink_status,
      deletedAt: row.deleted_at,
      secretId: row.secret_id,
      failuresInRow: row.failures_in_row,
      previousSecret:
        row.previous_secret_id === null || row.previous_secret_expires_at === null
          ? null
          : { secretId: row.previous_secret_id, expiresAt: row.previous_secret_expires_at },
    },
    payload:
      row.body_id === null || row.sha256 === null
        ? null
        : {
            bodyId: row.body_id,
            sha256: row.sha256.toString('hex'),
            bytes: Number(row.byte_count),
            rows: Number(row.row_count),
          },
    traceContext: acceptTraceContext(row),
  };
}
