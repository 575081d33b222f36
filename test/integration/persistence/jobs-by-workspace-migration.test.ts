import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { openUnmigrated } from './unmigrated.js';

const NAME = 'KeyJobsByWorkspace1764800000000';
let dataSource: DataSource;

const query = <T = Record<string, unknown>>(sql: string, parameters: unknown[] = []): Promise<T[]> =>
  dataSource.query<T[]>(sql, parameters);
const undo = (): Promise<void> => dataSource.undoLastMigration();

beforeAll(async () => {
  dataSource = await openUnmigrated(NAME);
  await dataSource.runMigrations();
  await undo();
});
beforeEach(async () => {
  await query(
    'TRUNCATE agent_data_source_job, agent_data_source_delivery, agent_data_source_payload, agent_data_source_sync',
  );
});
afterAll(() => dataSource.destroy());

/** As the version before wrote it. */
const completion = (workspace: string, job: string, createdAt = '2026-01-01T00:00:00Z') =>
  query(
    `INSERT INTO agent_data_source_job (job_id, run, workspace_id, agent_id, completed_at, total, matched, unmatched,
       heard_at, created_at) VALUES ($2, 1, $1, 'agt_1', now(), 1, 1, 0, now(), $3)`,
    [workspace, job, createdAt],
  );
const delivery = (id: string, workspace: string, job: string, status = 'DELIVERED') =>
  query(
    `INSERT INTO agent_data_source_delivery (id, workspace_id, agent_id, data_source_id, job_id, run, format,
       retries_allowed, trigger, status, next_attempt_at)
     VALUES ($1, $2, 'agt_1', 'ads_' || $2, $3, 1, 'JSON', 2, 'AUTO', $4, CASE WHEN $4 = 'PENDING' THEN now() END)`,
    [id, workspace, job, status],
  );
const attempt = (id: string, deliveryId: string, workspace: string, job: string) =>
  query(
    `INSERT INTO agent_data_source_sync (id, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number,
       trigger, status, url, auth_scheme, config_version, payload_sha256, payload_bytes, worker_id)
     VALUES ($1, $2, 'ads_1', $3, 'agt_1', $4, 1, 'AUTO', 'SUCCEEDED', 'https://a.example', 'Bearer', 1, '', 1, 'w')`,
    [id, deliveryId, workspace, job],
  );
const body = (id: string, job: string) =>
  query(
    `INSERT INTO agent_data_source_payload (job_id, run, format, body_id, ready) VALUES ($2, 1, 'JSON', $1, true)`,
    [id, job],
  );

const jobs = () => query('SELECT workspace_id, job_id FROM agent_data_source_job ORDER BY 1, 2');
const deliveries = () => query('SELECT id, status FROM agent_data_source_delivery ORDER BY id');
const bodies = () => query('SELECT * FROM agent_data_source_payload ORDER BY body_id');
const indexes = () =>
  query(
    `SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename LIKE 'agent_data_source%' ORDER BY 1`,
  );

describe('job ids that become unique within a workspace', () => {
  it('keep the data of each workspace, and give its bodies the workspace of their job', async () => {
    await completion('ws_a', 'job_1');
    await completion('ws_b', 'job_2');
    await delivery('dlv_a', 'ws_a', 'job_1');
    await delivery('dlv_b', 'ws_b', 'job_2', 'PENDING');
    await body('pld_a', 'job_1');
    await body('pld_b', 'job_2');
    await dataSource.runMigrations();
    expect(await deliveries()).toEqual([
      { id: 'dlv_a', status: 'DELIVERED' },
      { id: 'dlv_b', status: 'PENDING' },
    ]);
    expect(await bodies()).toMatchObject([
      { body_id: 'pld_a', workspace_id: 'ws_a', ready: true },
      { body_id: 'pld_b', workspace_id: 'ws_b', ready: true },
    ]);
    await undo();
    expect(await bodies()).toMatchObject([{ body_id: 'pld_a' }, { body_id: 'pld_b' }]);
    expect(await deliveries()).toHaveLength(2);
  });

  it('remove deliveries of another workspace’s completion and the bodies of such jobs; the attempts stay', async () => {
    await completion('ws_a', 'job_1');
    await completion('ws_a', 'job_2');
    await delivery('dlv_a', 'ws_a', 'job_1');
    await delivery('dlv_b', 'ws_b', 'job_1');
    await delivery('dlv_b_waiting', 'ws_b', 'job_2', 'PENDING');
    await attempt('syn_b', 'dlv_b', 'ws_b', 'job_1');
    await body('pld_1', 'job_1');
    await body('pld_2', 'job_2');
    await body('pld_of_nothing', 'job_3');
    await dataSource.runMigrations();
    expect(await deliveries()).toEqual([{ id: 'dlv_a', status: 'DELIVERED' }]);
    expect(await bodies()).toEqual([]);
    expect(await query('SELECT id, delivery_id FROM agent_data_source_sync')).toEqual([
      { id: 'syn_b', delivery_id: 'dlv_b' },
    ]);
    await undo();
  });

  it('prevent a delivery from referring to another workspace’s completion, and the deletion of a completion in use', async () => {
    await completion('ws_a', 'job_1');
    await delivery('dlv_a', 'ws_a', 'job_1');
    await dataSource.runMigrations();
    const refused = { driverError: { constraint: 'fk_agent_data_source_delivery_job' } };
    await expect(delivery('dlv_b', 'ws_b', 'job_1')).rejects.toMatchObject(refused);
    await expect(query('DELETE FROM agent_data_source_job')).rejects.toMatchObject(refused);
    await undo();
  });

  it('are reverted to one completion for each id, that of the workspace recorded first', async () => {
    await dataSource.runMigrations();
    await completion('ws_b', 'job_1', '2026-01-02T00:00:00Z');
    await completion('ws_a', 'job_1', '2026-01-01T00:00:00Z');
    await completion('ws_c', 'job_1', '2026-01-03T00:00:00Z');
    await completion('ws_c', 'job_2');
    for (const workspace of ['ws_a', 'ws_b', 'ws_c']) {
      await delivery(`dlv_${workspace}`, workspace, 'job_1');
      await query(
        `INSERT INTO agent_data_source_payload (workspace_id, job_id, run, format, body_id, ready)
         VALUES ($1, 'job_1', 1, 'JSON', 'pld_' || $1, true)`,
        [workspace],
      );
    }
    await undo();
    expect(await jobs()).toEqual([
      { workspace_id: 'ws_a', job_id: 'job_1' },
      { workspace_id: 'ws_c', job_id: 'job_2' },
    ]);
    expect(await deliveries()).toEqual([{ id: 'dlv_ws_a', status: 'DELIVERED' }]);
    expect(await bodies()).toMatchObject([{ body_id: 'pld_ws_a' }]);
  });

  it('accept what the operator prepared according to docs/operations.md, with the same result', async () => {
    await dataSource.runMigrations();
    const made = await indexes();
    await undo();
    await completion('ws_a', 'job_1');
    await delivery('dlv_a', 'ws_a', 'job_1');
    await delivery('dlv_b', 'ws_b', 'job_1');
    await body('pld_a', 'job_1');
    for (const statement of await statementsBefore()) await query(statement);
    // The version before goes on until the migration runs.
    await body('pld_late', 'job_2');
    await completion('ws_a', 'job_2');
    await dataSource.runMigrations();
    expect(await indexes()).toEqual(made);
    expect(await deliveries()).toEqual([{ id: 'dlv_a', status: 'DELIVERED' }]);
    expect(await bodies()).toMatchObject([{ body_id: 'pld_late', workspace_id: 'ws_a' }]);
    await undo();
  });
});

/** What docs/operations.md has an operator run before this migration, on large tables. */
async function statementsBefore(): Promise<string[]> {
  const { readFile } = await import('node:fs/promises');
  const page = await readFile(new URL('../../../docs/operations.md', import.meta.url), 'utf8');
  const [, section = ''] = page.split(`\`${NAME}\` keys`);
  const [ofIt = ''] = section.split(/\nGoing back|\n`WatchWorkers/);
  const statements = [...ofIt.matchAll(/```sql\n([\s\S]+?)```/g)].map(([, sql = '']) => sql);
  expect(statements.length).toBeGreaterThan(5);
  return statements;
}
