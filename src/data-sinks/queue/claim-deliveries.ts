import type { AttemptErrorCode } from '../domain/attempt.js';
import type { ClaimedDelivery, ClaimedSink } from '../domain/claimed-delivery.js';
import { keyText } from '../domain/key-text.js';
import type { DataSinkStatus, SinkConfig } from '../domain/data-sink.js';
import { acceptTraceContext } from '../domain/trace-context.js';
import { CLAIM, MOST_STEPS } from './claim.sql.js';
import type { Database } from '../database/database.js';
import type { PushRow } from './push-row.js';
import { timeOf } from '../database/value-parsers.js';

export interface ClaimLimits {
  /** Maximum number of deliveries per claim. */
  readonly batch: number;
  /** Maximum in flight per sink, over all workers. Two simultaneous claims may each use the rest of the limit. */
  readonly inFlightPerSink: number;
  /** Maximum in flight per workspace. */
  readonly inFlightPerWorkspace: number;
  readonly leaseMs: number;
  /** `ThisWorker.leasePrefix` of the worker that claims. */
  readonly leasePrefix: string;
}

/** Where a workspace's own round over its sinks stands. */
export interface WorkspacePlace {
  /** The sink that was visited last. */
  readonly at: string;
  /** The sink where the round began: when it is passed again, every sink was visited. */
  readonly from: string;
}

/** Position of a worker's claims in their round over the workspaces, and in each workspace's own. */
export interface ClaimPosition {
  /** The workspace that was visited last; empty for the first claim. */
  readonly after: string;
  /** The workspace where the present round over the workspaces began. */
  readonly origin: string;
  /** Workspaces whose own round is not finished, the next ones first. The others' begin at their first sink. */
  readonly places: ReadonlyMap<string, WorkspacePlace>;
  /** After so many sinks that have nothing to send, the turn passes to the next workspace. */
  readonly patience: number;
  /** Workspaces at their limit: they are skipped. */
  readonly fullWorkspaces: readonly string[];
}

export const FROM_THE_START: ClaimPosition = {
  ...{ after: '', origin: '', places: new Map<string, WorkspacePlace>() },
  ...{ patience: 16, fullWorkspaces: [] },
};

/** The result of a claim, and where the next one continues. */
export interface Claim {
  readonly deliveries: readonly ClaimedDelivery[];
  /** Whether the claim visited every workspace with waiting deliveries, or passed the origin. */
  readonly cameRound: boolean;
  /**
   * The workspaces that had a turn, in their order: where their own rounds stand, or null for those that have finished
   * theirs. The next claim starts after the last one.
   */
  readonly places: ReadonlyMap<string, WorkspacePlace | null>;
  /** Whether every sink with waiting deliveries was visited and none has more that can be sent now. */
  readonly exhausted: boolean;
  /** Whether more was due than the limits of sinks and workspaces allowed. */
  readonly capped: boolean;
  /** Workspaces at their limit now. */
  readonly fullWorkspaces: readonly string[];
  /** If rate limits held deliveries back: milliseconds until the next one may be sent. */
  readonly pacedMs: number | null;
  /** The database's time at the end of the claim. */
  readonly answeredAt: Date;
}

/**
 * Maximum number of sinks visited per claim, so that a batch holds several deliveries per sink, but not of one sink
 * only.
 */
const sinksToVisit = (batch: number): number => Math.max(Math.ceil(batch / 8), Math.min(batch, 8));

/** Claims due deliveries, fair across workspaces and their sinks, under a lease. The database's clock decides what is due. */
export async function claimDeliveries(
  database: Database,
  limits: ClaimLimits,
  { after, origin, places, patience, fullWorkspaces }: ClaimPosition = FROM_THE_START,
): Promise<Claim> {
  const { batch, inFlightPerSink, inFlightPerWorkspace, leaseMs, leasePrefix } = limits;
  const [round, ...claimed] = await database.prepared<RoundRow & ClaimedRow>(CLAIM, [
    ...[batch, inFlightPerSink, leaseMs, after, sinksToVisit(batch)],
    ...[inFlightPerWorkspace, fullWorkspaces, leasePrefix, placesToPass(places), origin, patience],
  ]);
  if (!round) throw new Error('a claim answers with one row at least');
  return {
    deliveries: toDeliveries(round, claimed),
    cameRound: round.came_round,
    places: new Map(
      round.turns?.map(([workspace, at, from, isFinished]) => [workspace, isFinished ? null : { at, from }]),
    ),
    exhausted: round.exhausted,
    capped: round.capped,
    fullWorkspaces: round.full_workspaces,
    pacedMs: round.paced_ms,
    answeredAt: timeOf(round.answered_ms),
  };
}

/** A claim visits no more workspaces than it has steps. */
function placesToPass(places: ReadonlyMap<string, WorkspacePlace>): string {
  const passed: [string, [string, string]][] = [];
  for (const [workspace, { at, from }] of places) {
    if (passed.length === MOST_STEPS) break;
    passed.push([workspace, [at, from]]);
  }
  return JSON.stringify(Object.fromEntries(passed));
}

/** The first row: the claim's summary, and shared data of its deliveries, each once. */
interface RoundRow {
  came_round: boolean;
  turns: TurnRow[] | null;
  exhausted: boolean;
  capped: boolean;
  full_workspaces: string[];
  paced_ms: number | null;
  sinks: SinkRow[] | null;
  bodies: BodyRow[] | null;
  answered_ms: number;
}

/** A workspace has one or two turns in a claim. */
type TurnRow = [workspaceId: string, sink: string, origin: string, isFinished: boolean];

/** Times are milliseconds since 1970: in JSON, a timestamp's text would depend on the session's time zone. */
interface SinkRow {
  id: string;
  type: string;
  config: SinkConfig;
  config_version: number;
  status: DataSinkStatus;
  deleted_ms: number | null;
  secret_id: string;
  failures_in_row: number;
  previous_secret_id: string | null;
  previous_secret_expires_ms: number | null;
}

/** A job and, if built, its body for one recipe. */
interface BodyRow {
  workspace_id: string;
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
  last_error_code: AttemptErrorCode | null;
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
      lastErrorCode: row.last_error_code,
      leaseToken: row.lease_token,
      completedAt: job.completedAt,
      stats: job.stats,
      sink: sinkById.get(row.data_source_id) ?? null,
      payload: job.payload,
      handedOver: false,
      traceContext: job.traceContext,
    };
  });
}

const keyOf = (row: Pick<BodyRow, 'workspace_id' | 'job_id' | 'run' | 'recipe'>): string =>
  keyText(row.workspace_id, row.job_id, row.run, row.recipe);

function toSink(row: SinkRow): ClaimedSink {
  return {
    type: row.type,
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
