import type { DataSource } from 'typeorm';

/** A statement as it was sent. */
export interface SentStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  /** Its plan may be made without knowing the parameters. */
  readonly isPrepared: boolean;
}

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

/** Runs work and keeps every statement that it sent to the database, through whichever door. */
export async function recordStatements(dataSource: DataSource, work: () => Promise<unknown>): Promise<SentStatement[]> {
  const sent: SentStatement[] = [];
  const { master } = dataSource.driver as unknown as { master: { query: unknown; connect: unknown } };
  const runner = dataSource.createQueryRunner();
  const prototype = Object.getPrototypeOf(runner) as { query: (...given: unknown[]) => unknown };
  await runner.release();
  const { query: original } = prototype;
  const { query: ofPool } = master as { query: (...given: unknown[]) => unknown };
  prototype.query = function (this: unknown, sql: unknown, parameters: unknown = [], ...rest: unknown[]) {
    sent.push({ sql: String(sql), parameters: parameters as unknown[], isPrepared: false });
    return original.call(this, sql, parameters, ...rest);
  };
  master.query = function (this: unknown, statement: { text: string; values: unknown[] }) {
    sent.push({ sql: statement.text, parameters: statement.values, isPrepared: true });
    return ofPool.call(this, statement);
  };
  try {
    await work();
  } finally {
    prototype.query = original;
    master.query = ofPool;
  }
  return sent.filter(({ sql }) => /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)/i.test(sql));
}

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
  return [...found];
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
