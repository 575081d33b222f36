import { SENDING_ORDER } from '../database/index-orders.js';
import type { ListOrder } from '../database/page.js';

/** What a list may be narrowed to. Each absent one narrows nothing. */
export interface HistoryFilter<S extends string = string> {
  readonly statuses?: readonly S[] | undefined;
  readonly jobId?: string | undefined;
  /** Of a delivery: of its last attempt. */
  readonly errorCode?: string | undefined;
  /** Made at this time or later. */
  readonly since?: Date | undefined;
  /** Made before this time. */
  readonly until?: Date | undefined;
  /** @default 'newest' */
  readonly order?: ListOrder | undefined;
}

/** A table of rows that stay, with an id that says when each was made, and an index on `(data_source_id, id)`. */
export interface HistoryTable {
  readonly kind: 'delivery' | 'attempt';
  readonly table: string;
  readonly madeAt: string;
  readonly errorCode: string;
}

export const DELIVERIES: HistoryTable = {
  ...{ kind: 'delivery', table: 'agent_data_source_delivery', madeAt: 'created_at', errorCode: 'last_error_code' },
};
export const ATTEMPTS: HistoryTable = {
  ...{ kind: 'attempt', table: 'agent_data_source_sync', madeAt: 'started_at', errorCode: 'error_code' },
};

/** A statement's parameters, numbered as they are named. */
export class Parameters {
  readonly values: unknown[] = [];

  /** The place of one more. */
  of(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}

/** Conditions on rows `l`. As expressions, so that no index fits them: which rows are looked at is decided before. */
export function conditionsOf({ madeAt, errorCode }: HistoryTable, filter: HistoryFilter, given: Parameters): string {
  const conditions = [
    filter.statuses && `l.status || '' = ANY (${given.of(filter.statuses)}::text[])`,
    filter.jobId !== undefined && `l.job_id || '' = ${given.of(filter.jobId)}`,
    filter.errorCode !== undefined && `l.${errorCode} || '' = ${given.of(filter.errorCode)}`,
    filter.since && `l.${madeAt} >= ${given.of(filter.since)}::timestamptz`,
    filter.until && `l.${madeAt} < ${given.of(filter.until)}::timestamptz`,
  ];
  return conditions.filter((condition) => typeof condition === 'string').join(' AND ') || 'true';
}

/** How ids are compared in an order: what comes after one, and the last of some. */
export const WAYS = {
  newest: { after: '<', before: '>', direction: 'DESC', last: 'min' },
  oldest: { after: '>', before: '<', direction: 'ASC', last: 'max' },
} as const satisfies Record<ListOrder, object>;

/** How far a sink has been looked through, and how many rows to look at next. */
export interface Lane {
  readonly sink: string;
  /** The last id that was looked at. */
  readonly at: string;
  readonly chunk: number;
}

/** What was found in one lane. */
export interface Looked {
  readonly sink: string;
  readonly looked: number;
  /** Null when there was nothing left. */
  readonly last: string | null;
  readonly found: readonly string[];
}

/**
 * The next rows of some sinks along the index by sink and id, and which of them are wanted. Both columns stand between
 * bounds and in the order, so no other index fits (`index-orders.ts`), and LIMIT says how many rows are read at most.
 * @param end where all of them end
 */
export function lookStatement(
  history: HistoryTable,
  filter: HistoryFilter,
  lanes: readonly Lane[],
  end: string,
): { readonly text: string; readonly values: readonly unknown[] } {
  const { after, before, direction, last } = WAYS[filter.order ?? 'newest'];
  const given = new Parameters();
  const lane = [lanes.map(({ sink }) => sink), lanes.map(({ at }) => at), lanes.map(({ chunk }) => chunk)];
  const [sinks = '', ids = '', chunks = ''] = lane.map((column) => given.of(column));
  const to = given.of(end);
  const text = `
SELECT w.sink, p.looked, p.last, p.found
  FROM unnest(${sinks}::text[], ${ids}::text[], ${chunks}::int[]) w (sink, at, chunk)
 CROSS JOIN LATERAL (
   SELECT count(*)::int AS looked, ${last}(l.id) AS last,
          coalesce(array_agg(l.id) FILTER (WHERE ${conditionsOf(history, filter, given)}), '{}') AS found
     FROM (SELECT d.* FROM ${history.table} d
            WHERE (d.data_source_id, d.id) ${after} (w.sink, w.at) AND (d.data_source_id, d.id) ${before} (w.sink, ${to})
            ORDER BY d.data_source_id ${direction}, d.id ${direction} LIMIT w.chunk) l) p`;
  return { text, values: given.values };
}

/** Deliveries of a job. Of the columns between bounds only the unique index by job has the first. */
const ofJob = (workspaceId: string, jobId: string, most: string): string => `
(SELECT d.* FROM agent_data_source_delivery d
  WHERE (d.workspace_id, d.job_id) >= (${workspaceId}, ${jobId}) AND (d.workspace_id, d.job_id) <= (${workspaceId}, ${jobId})
  ORDER BY d.workspace_id, d.job_id, d.data_source_id, d.run, d.part LIMIT ${most})`;

/** What is not delivered or cancelled has an index of its own, by status. */
const OF_STATUS: Readonly<Record<string, (sinks: string, workspaceId: string, most: string) => string>> = {
  FAILED: (sinks, _workspace, most) => `
(SELECT d.* FROM unnest(${sinks}::text[]) s (id) CROSS JOIN LATERAL (
   SELECT * FROM agent_data_source_delivery d
    WHERE d.status = 'FAILED' AND d.data_source_id = s.id AND d.settled_at >= '-infinity'
    ORDER BY d.settled_at LIMIT ${most}) d LIMIT ${most})`,
  PENDING: (sinks, workspaceId, most) => waitingOf(sinks, workspaceId, 'PENDING', most),
  RETRYING: (sinks, workspaceId, most) => waitingOf(sinks, workspaceId, 'RETRYING', most),
  IN_FLIGHT: (sinks, workspaceId, most) => `
(SELECT d.* FROM unnest(${sinks}::text[]) s (id) CROSS JOIN LATERAL (
   SELECT * FROM agent_data_source_delivery d
    WHERE d.status = 'IN_FLIGHT' AND (d.workspace_id, d.data_source_id) >= (${workspaceId}, s.id)
      AND (d.workspace_id, d.data_source_id) <= (${workspaceId}, s.id)
    ${SENDING_ORDER} LIMIT ${most}) d LIMIT ${most})`,
};

const waitingOf = (sinks: string, workspaceId: string, status: string, most: string): string => `
(SELECT d.* FROM unnest(${sinks}::text[]) s (id) CROSS JOIN LATERAL (
   SELECT * FROM agent_data_source_delivery d
    WHERE d.status IN ('PENDING', 'RETRYING') AND d.workspace_id = ${workspaceId} AND d.data_source_id = s.id
      AND d.status >= '${status}' AND d.status <= '${status}'
    ORDER BY d.status, d.next_attempt_at LIMIT ${most}) d LIMIT ${most})`;

/** Attempts of a job's deliveries, by each delivery's own index. */
const attemptsOfJob = (workspaceId: string, jobId: string, most: string): string => `
(SELECT a.* FROM ${ofJob(workspaceId, jobId, most)} o CROSS JOIN LATERAL (
   SELECT * FROM agent_data_source_sync a WHERE a.delivery_id BETWEEN o.id AND o.id
    ORDER BY a.delivery_id DESC, a.attempt_number DESC LIMIT ${most}) a LIMIT ${most})`;

/** What is asked of an index that holds few rows. */
export interface FewRequest {
  readonly workspaceId: string;
  readonly sinks: readonly string[];
  /** The id after which the page begins; null for the first. */
  readonly afterId: string | null;
  /** How many ids are wanted at most. */
  readonly wanted: number;
  /** How many rows are few. More are not looked at. */
  readonly most: number;
}

/**
 * The ids of a page, by an index that holds what a filter asks for and little else: a job's deliveries, or those that
 * failed, wait or are in flight.
 * @returns null where there is no such index
 */
export function fewStatement(
  history: HistoryTable,
  filter: HistoryFilter,
  { workspaceId, sinks, afterId, wanted, most }: FewRequest,
): { readonly text: string; readonly values: readonly unknown[] } | null {
  const { after, direction } = WAYS[filter.order ?? 'newest'];
  const given = new Parameters();
  const [workspace, among, limit] = [given.of(workspaceId), given.of(sinks), `${given.of(most)}::int`];
  const branches = branchesOf(history, filter, given, { workspace, among, limit });
  if (!branches) return null;
  const beyond = afterId === null ? '' : ` AND l.id || '' ${after} ${given.of(afterId)}`;
  const text = `
WITH looked AS MATERIALIZED (
SELECT * FROM (${branches.join('\nUNION ALL')}) b LIMIT ${limit})
SELECT (SELECT count(*)::int FROM looked) AS looked,
       ARRAY(SELECT l.id FROM looked l
              WHERE l.workspace_id = ${workspace} AND l.data_source_id = ANY (${among}::text[])
                AND ${conditionsOf(history, filter, given)}${beyond}
              ORDER BY l.id ${direction} LIMIT ${given.of(wanted)}::int) AS found`;
  return { text, values: given.values };
}

interface Places {
  readonly workspace: string;
  readonly among: string;
  readonly limit: string;
}

function branchesOf(
  { kind }: HistoryTable,
  { jobId, statuses }: HistoryFilter,
  given: Parameters,
  { workspace, among, limit }: Places,
): readonly string[] | null {
  if (jobId !== undefined) {
    return [(kind === 'delivery' ? ofJob : attemptsOfJob)(workspace, `${given.of(jobId)}::text`, limit)];
  }
  if (kind === 'attempt' || !statuses) return null;
  const branches = [...new Set(statuses)].map((status) => OF_STATUS[status]?.(among, `${workspace}::text`, limit));
  return branches.every((branch) => branch !== undefined) ? branches : null;
}
