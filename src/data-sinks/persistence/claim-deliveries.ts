import type { ClaimedDelivery, ClaimedSink } from '../core/claimed-delivery.js';
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
  /** The database's time when it answered. */
  readonly answeredAt: Date;
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
  const [round, ...claimed] = await rows<RoundRow & ClaimedRow>(database, CLAIM, [
    ...[batch, inFlightPerSink, leaseMs, after, sinksToVisit(batch)],
    ...[inFlightPerWorkspace, fullWorkspaces],
  ]);
  if (!round) throw new Error('a claim answers with one row at least');
  return {
    deliveries: toDeliveries(round, claimed),
    lastSink: round.last_sink,
    exhausted: round.exhausted,
    capped: round.capped,
    fullWorkspaces: round.full_workspaces,
    pacedMs: round.paced_ms,
    answeredAt: round.answered_at,
  };
}

/** The first row: of the claim as a whole, and what its deliveries have in common, each once. */
interface RoundRow {
  last_sink: string;
  exhausted: boolean;
  capped: boolean;
  full_workspaces: string[];
  paced_ms: number | null;
  sinks: SinkRow[] | null;
  bodies: BodyRow[] | null;
  answered_at: Date;
}

/** As JSON, whose times would be text in the session's zone; so they are milliseconds since 1970. */
interface SinkRow {
  id: string;
  config: HttpsWebhookConfig;
  config_version: number;
  status: DataSinkStatus;
  deleted_ms: number | null;
  secret_id: string;
  failures_in_row: number;
  previous_secret_id: string | null;
  previous_secret_expires_ms: number | null;
}

/** A job, and what was made of it by one recipe, if it was. */
interface BodyRow {
  job_id: string;
  run: number;
  recipe: string;
  completed_ms: number;
  total: number;
  matched: number;
  unmatched: number;
  traceparent: string | null;
  tracestate: string | null;
  body_id: string | null;
  sha256: string | null;
  byte_count: number;
  row_count: number;
}

/** The other rows: one per delivery. */
interface ClaimedRow extends PushRow {
  retries_allowed: number;
  retries_spent: number;
  own_failures: number;
  lease_token: string;
}

function toDeliveries({ sinks, bodies }: RoundRow, claimed: ClaimedRow[]): ClaimedDelivery[] {
  const sinkById = new Map(sinks?.map((row) => [row.id, toSink(row)]));
  const jobByKey = new Map(bodies?.map((row) => [keyOf(row), toJob(row)]));
  return claimed.flatMap((row) => {
    const job = jobByKey.get(keyOf(row));
    if (!job) return [];
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
      completedAt: job.completedAt,
      stats: job.stats,
      sink: sinkById.get(row.data_source_id) ?? null,
      payload: job.payload,
      traceContext: job.traceContext,
    };
  });
}

const keyOf = ({ job_id, run, recipe }: Pick<BodyRow, 'job_id' | 'run' | 'recipe'>): string =>
  `${run}/${recipe}/${job_id}`;

function toSink(row: SinkRow): ClaimedSink {
  return {
    config: row.config,
    configVersion: row.config_version,
    status: row.status,
    deletedAt: row.deleted_ms === null ? null : new Date(row.deleted_ms),
    secretId: row.secret_id,
    failuresInRow: row.failures_in_row,
    previousSecret:
      row.previous_secret_id === null || row.previous_secret_expires_ms === null
        ? null
        : { secretId: row.previous_secret_id, expiresAt: new Date(row.previous_secret_expires_ms) },
  };
}

type ClaimedJob = Pick<ClaimedDelivery, 'completedAt' | 'stats' | 'payload' | 'traceContext'>;

function toJob(row: BodyRow): ClaimedJob {
  const { total, matched, unmatched, body_id: bodyId, sha256, byte_count: bytes, row_count } = row;
  return {
    completedAt: new Date(row.completed_ms),
    stats: { total, matched, unmatched },
    payload: bodyId === null || sha256 === null ? null : { bodyId, sha256, bytes, rows: row_count },
    traceContext: acceptTraceContext(row),
  };
}
