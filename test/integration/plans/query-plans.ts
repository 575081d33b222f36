import type { DataSource } from 'typeorm';
import pg from 'pg';
import { type Database, databaseOf } from '../../../src/data-sinks/database/database.js';
import { fakeDatabase } from '../../support/fake-database.js';

/** A statement as it was sent. */
export interface SentStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** Its plan may be made without knowing the parameters. */
  readonly isPrepared: boolean;
}

/** How PostgreSQL plans a prepared statement: knowing the parameters, or once for all of them. */
export const PLAN_MODES = ['force_custom_plan', 'force_generic_plan'] as const;
export type PlanMode = (typeof PLAN_MODES)[number];

/** Indexes that grow with a backlog: reading one of them through is reading the backlog. */
const BACKLOG = /^ix_agent_data_source_delivery_(waiting|due|sending)$/;

/** Tables that grow without end: reading one of them through is an outage in the making. */
const LARGE = /^agent_data_source_(delivery|sync\w*|job|payload|payload_chunk|audit)$/;

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

interface Client {
  query(statement: string | { text: string; values: unknown[] }, values?: unknown, ...rest: unknown[]): unknown;
}

/** Runs work in a transaction that is rolled back, and keeps every statement that it sent. */
export async function recordStatements(
  dataSource: DataSource,
  work: (database: Database) => Promise<unknown>,
): Promise<SentStatement[]> {
  const sent: SentStatement[] = [];
  const runner = dataSource.createQueryRunner();
  await runner.startTransaction();
  const client = (await runner.connect()) as Client;
  const query = client.query.bind(client);
  let isPrepared = false;
  // Whoever asks: TypeORM, or the module with parsers of its own.
  client.query = (statement, values, ...rest) => {
    const [sql, parameters] = typeof statement === 'string' ? [statement, values] : [statement.text, statement.values];
    sent.push({ sql, parameters: (parameters as readonly unknown[] | undefined) ?? [], isPrepared });
    return query(statement, values, ...rest);
  };
  const inside = databaseOf(runner.manager);
  const database = fakeDatabase((text, values) => inside.query(text, values), {
    prepared: (text, values) => {
      isPrepared = true;
      return inside.query<never>(text, values).finally(() => (isPrepared = false));
    },
    execute: (text, values) => inside.execute(text, values),
    now: () => inside.now(),
    manager: runner.manager,
  });
  try {
    await work(database);
  } finally {
    client.query = query;
    await runner.rollbackTransaction();
    await runner.release();
  }
  return sent.filter(({ sql }) => /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)/i.test(sql) && !sql.includes('set_config'));
}

/** What a statement costs. */
export interface Cost {
  /** Pages of tables and indexes that it asks for, in memory or not; those of planning it are not counted. */
  readonly pages: number;
  /** As EXPLAIN shows it. */
  readonly plan: string;
}

const PAGES = `
SELECT sum(pg_stat_get_xact_blocks_fetched(oid))::int AS pages FROM pg_class
 WHERE relname LIKE '%agent\\_data\\_source%' AND relname NOT LIKE 'sample%' OR oid IN (SELECT reltoastrelid FROM pg_class WHERE relname LIKE 'agent_data_source%')`;

/** Executes statements as prepared ones, one after the other, in a transaction that is rolled back. */
export async function costsOf(
  client: pg.Client,
  statements: readonly SentStatement[],
  mode: PlanMode,
): Promise<Cost[]> {
  const pages = async () => (await client.query<{ pages: number }>(PAGES)).rows[0]?.pages ?? Number.NaN;
  const costs: Cost[] = [];
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL plan_cache_mode = ${mode}`);
    for (const [i, { sql, parameters }] of statements.entries()) {
      const execute = `EXECUTE measured_${i}${parameters.length > 0 ? `(${parameters.map(literal).join(', ')})` : ''}`;
      await client.query(`PREPARE measured_${i} AS ${sql}`);
      // The first look at the ends of indexes passes by entries of dead rows, and marks them.
      await client.query(`EXPLAIN ${execute}`);
      const before = await pages();
      const { rows: plan } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${execute}`);
      const planned = await pages();
      await client.query(execute);
      const executed = await pages();
      // A custom plan is made again, which looks at the ends of some indexes again.
      const planning = mode === 'force_custom_plan' ? planned - before : 0;
      costs.push({
        pages: Math.max(executed - planned - planning, 0),
        plan: plan.map((line) => line['QUERY PLAN']).join('\n'),
      });
    }
  } finally {
    await client.query('ROLLBACK');
    await client.query('DEALLOCATE ALL');
  }
  return costs;
}

/** A parameter as EXECUTE takes it. */
function literal(value: unknown): string {
  const text = textOf(value);
  return text === null ? 'NULL' : pg.escapeLiteral(text);
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `{${value.map((item) => quoted(textOf(item))).join(',')}}`;
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value as string | number | boolean);
}

const quoted = (text: string | null): string => (text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`);

/**
 * What the planner would read through from end to end of the tables that grow and of the indexes of what waits, with these parameters and, as for a
 * statement that is prepared, without knowing them.
 * @returns their names
 */
export async function tablesReadThrough(
  dataSource: DataSource,
  { sql, parameters, isPrepared }: SentStatement,
): Promise<readonly string[]> {
  const plans = [await explain(dataSource, `EXPLAIN (FORMAT JSON) ${sql}`, parameters)];
  // PostgreSQL 16 and later can say it.
  if (isPrepared && (await knowsGenericPlans(dataSource))) {
    plans.push(await explain(dataSource, `EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${sql}`));
  }
  const found = new Set<string>();
  const visit = (node: PlanNode, isLimited: boolean): void => {
    const { 'Node Type': type, 'Relation Name': table = '', 'Index Name': index = '', 'Index Cond': condition } = node;
    if (/Seq Scan$/.test(type) && LARGE.test(table)) found.add(table);
    // The first entry of an index may be asked for, all of them not.
    if (BACKLOG.test(index) && condition === undefined && !isLimited) found.add(index);
    for (const child of node.Plans ?? []) visit(child, isLimited || type === 'Limit');
  };
  for (const plan of plans) visit(plan, false);
  // A partition of a month to come has nothing to read.
  const filled = await dataSource.query<{ name: string }[]>(
    'SELECT relname AS name FROM pg_class WHERE relname = ANY ($1) AND pg_relation_size(oid) > 0',
    [[...found]],
  );
  return filled.map(({ name }) => name);
}

async function explain(dataSource: DataSource, sql: string, parameters?: readonly unknown[]): Promise<PlanNode> {
  const [row] = await dataSource.query<{ 'QUERY PLAN': readonly [{ Plan: PlanNode }] }[]>(
    sql,
    parameters && [...parameters],
  );
  const plan = row?.['QUERY PLAN'][0].Plan;
  if (!plan) throw new Error('EXPLAIN gave no plan');
  return plan;
}

async function knowsGenericPlans(dataSource: DataSource): Promise<boolean> {
  const [row] = await dataSource.query<{ version: number }[]>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  return (row?.version ?? 0) >= 160_000;
}
