import { randomBytes } from 'node:crypto';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import type { DataSource, EntityManager } from 'typeorm';
import type { ClaimedDelivery } from '../../../src/data-sinks/domain/claimed-delivery.js';
import { createIdFactory } from '../../../src/data-sinks/domain/ids.js';
import { DEFAULT_BODY_SETTINGS, type HttpsWebhookConfig } from '../../../src/data-sinks/domain/data-sink.js';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { claimDeliveries, type ClaimLimits } from '../../../src/data-sinks/queue/claim-deliveries.js';
import { openMigratedPglite } from '../../support/pglite-template.js';
import { ThisWorker } from '../../../src/data-sinks/queue/this-worker.js';

export const newId = createIdFactory(Date.now, randomBytes);

export const CONFIG: HttpsWebhookConfig = {
  url: 'https://receiver.example.com/results',
  authScheme: 'HmacSha256',
  username: null,
  customHeaders: [],
  retryableStatuses: [],
  ...DEFAULT_BODY_SETTINGS,
};

/** Statements that read the time ask for `now()`; here they find this one first, which stands still until it is moved. */
const SHADOW_NOW = [
  'CREATE SCHEMA fake',
  `CREATE FUNCTION fake.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
     SELECT coalesce(nullif(current_setting('fake.now', true), '')::timestamptz, pg_catalog.now()) $$`,
  'SET search_path = fake, public, pg_catalog',
];

/** The module's tables on a PGlite of the suite's own, whose time can be moved. */
export class ModuleDatabase {
  #ms = Date.now();

  private constructor(readonly dataSource: DataSource) {}

  static async open(): Promise<ModuleDatabase> {
    const dataSource = await openMigratedPglite(dataSinksMigrations, dataSinksEntities);
    for (const statement of SHADOW_NOW) await dataSource.query(statement);
    return new ModuleDatabase(dataSource);
  }

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /** Empties the tables, but for the audit entries, which the database keeps; and turns the time back. */
  async clear(): Promise<void> {
    const tables = this.dataSource.entityMetadatas
      .map(({ tableName }) => tableName)
      .filter((name) => !name.startsWith('agent_data_source_audit'));
    await this.dataSource.query(`TRUNCATE ${tables.join(', ')}`);
    await this.#moveTo(Date.now());
  }

  async advance(ms: number): Promise<void> {
    await this.#moveTo(this.#ms + ms);
  }

  async now(): Promise<number> {
    const [row] = await this.all<{ at: Date }>('SELECT now() AS at');
    return row?.at.getTime() ?? Number.NaN;
  }

  async all<T = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return (await this.dataSource.query(sql, parameters)) as T[];
  }

  /** One row, as the table has it. */
  async one(table: 'delivery' | 'sync', id: string): Promise<Record<string, unknown>> {
    const [row] = await this.all(`SELECT * FROM agent_data_source_${table} WHERE id = $1`, [id]);
    if (!row) throw new Error(`no ${table} ${id}`);
    return row;
  }

  /** Makes a sink and answers its id. */
  async sink(given: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const row = {
      id: newId('dataSource'),
      workspace_id: 'ws_1',
      agent_id: 'agt_1',
      role: 'RESULTS_SINK',
      type: 'HTTPS_WEBHOOK',
      name: 'BI',
      config: JSON.stringify(CONFIG),
      format: 'JSON',
      status: 'ACTIVE',
      secret_id: newId('secret'),
      secret_created_at: new Date(0),
      ...given,
    };
    await this.#insert('agent_data_source', row);
    return row.id;
  }

  /** Makes a delivery that is due now, its job with it, and answers its id. */
  async delivery(
    dataSourceId: string,
    given: Readonly<Record<string, unknown>> & { dueInMs?: number | null } = {},
  ): Promise<string> {
    const { dueInMs = 0, ...columns } = given;
    const row = {
      id: newId('delivery'),
      workspace_id: 'ws_1',
      agent_id: 'agt_1',
      data_source_id: dataSourceId,
      job_id: newId('payload').replace('pld', 'job'),
      run: 1,
      format: 'JSON',
      trigger: 'AUTO',
      status: 'PENDING',
      retries_allowed: 2,
      next_attempt_at: dueInMs === null ? null : new Date((await this.now()) + dueInMs),
      ...columns,
    };
    await this.all(
      `INSERT INTO agent_data_source_job (workspace_id, job_id, run, agent_id, completed_at, total, matched, unmatched)
       VALUES ($1, $2, $3, 'agt_1', '2026-05-25T12:34:56Z', 3, 2, 1) ON CONFLICT DO NOTHING`,
      [row.workspace_id, row.job_id, row.run],
    );
    await this.#insert('agent_data_source_delivery', row);
    return row.id;
  }

  /** Claims what is due. */
  async claim(limits: Partial<ClaimLimits> = {}): Promise<readonly ClaimedDelivery[]> {
    const most = {
      batch: 64,
      inFlightPerSink: 64,
      inFlightPerWorkspace: 256,
      leaseMs: 60_000,
      leasePrefix: new ThisWorker().leasePrefix,
    };
    return (await claimDeliveries(databaseOf(this.manager), { ...most, ...limits })).deliveries;
  }

  async #insert(table: string, row: Readonly<Record<string, unknown>>): Promise<void> {
    const names = Object.keys(row);
    const places = names.map((_, i) => `$${i + 1}`).join(', ');
    await this.all(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`, Object.values(row));
  }

  async #moveTo(ms: number): Promise<void> {
    this.#ms = ms;
    await this.dataSource.query(`SELECT set_config('fake.now', $1, false)`, [new Date(ms).toISOString()]);
  }
}
