import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { openUnmigrated } from './unmigrated.js';

const NAME = 'PayloadRecipes1764700000000';
let dataSource: DataSource;

beforeAll(async () => {
  dataSource = await openUnmigrated(NAME);
  await dataSource.runMigrations();
  await undo();
});
afterAll(() => dataSource.destroy());

const query = <T = Record<string, unknown>>(sql: string): Promise<T[]> => dataSource.query<T[]>(sql);

/** Back to the version before. */
const undo = (): Promise<void> => dataSource.undoLastMigration();

const insertDelivery = (id: string, columns: Readonly<Record<string, string | number>> = {}): Promise<unknown> => {
  const row = {
    ...{
      id,
      workspace_id: 'ws_1',
      agent_id: 'agt_1',
      data_source_id: 'ads_1',
      job_id: 'job_1',
      run: 1,
      format: 'JSON',
    },
    ...{ retries_allowed: 2, trigger: 'AUTO', status: 'PENDING', next_attempt_at: '2026-01-01T00:00:00Z' },
    ...columns,
  };
  const names = Object.keys(row);
  const places = names.map((_, i) => `$${i + 1}`).join(', ');
  return dataSource.query(
    `INSERT INTO agent_data_source_delivery (${names.join(', ')}) VALUES (${places})`,
    Object.values(row),
  );
};

const insertSink = (id: string, format: string, config: object): Promise<unknown> =>
  dataSource.query(
    `INSERT INTO agent_data_source (id, workspace_id, agent_id, role, type, name, config, format, status, secret_id,
       secret_created_at) VALUES ($1, 'ws_1', 'agt_1', 'RESULTS_SINK', 'HTTPS_WEBHOOK', 'BI', $2, $3, 'ACTIVE', 'sec_1', now())`,
    [id, JSON.stringify(config), format],
  );

it('treats existing bodies as plain JSON in one piece, and the previous version can still run', async () => {
  await insertDelivery('dlv_before');
  await query(
    `INSERT INTO agent_data_source_payload (job_id, run, format, body_id, ready) VALUES ('job_1', 1, 'JSON', 'pld_1', true)`,
  );
  await dataSource.runMigrations();
  // As that version writes: it names no recipe and no part, and takes a conflict for a delivery that is there.
  await insertDelivery('dlv_after', { job_id: 'job_2' });
  await query(
    `INSERT INTO agent_data_source_delivery (id, data_source_id, job_id, run, workspace_id, agent_id, format,
       retries_allowed, trigger, status, next_attempt_at)
     VALUES ('dlv_again', 'ads_1', 'job_2', 1, 'ws_1', 'agt_1', 'JSON', 2, 'AUTO', 'PENDING', now()) ON CONFLICT DO NOTHING`,
  );
  expect(await query('SELECT id, recipe, part, part_count FROM agent_data_source_delivery ORDER BY id')).toEqual(
    ['dlv_after', 'dlv_before'].map((id) => ({ id, recipe: 'JSON', part: 1, part_count: 1 })),
  );
  expect(await query('SELECT format, body_id FROM agent_data_source_payload')).toEqual([
    { format: 'JSON', body_id: 'pld_1' },
  ]);
});

it('reverts: deliveries that the previous version cannot send are not sent', async () => {
  await insertSink('ads_plain', 'JSON', {
    url: 'https://a.example/',
    compression: 'none',
    includeFields: null,
    maxRowsPerPush: null,
  });
  await insertSink('ads_before', 'JSON', { url: 'https://a.example/' });
  await insertSink('ads_csv', 'CSV', { url: 'https://a.example/', compression: 'none' });
  await insertSink('ads_gzip', 'JSON', { url: 'https://a.example/', compression: 'gzip' });
  await insertSink('ads_fields', 'JSON', { url: 'https://a.example/', includeFields: ['partnerRowId'] });
  await insertSink('ads_parts', 'JSON', { url: 'https://a.example/', maxRowsPerPush: 5 });
  const part = (n: number) => ({ job_id: 'job_3', recipe: `JSON;rows=5;part=${n}/2`, part: n, part_count: 2 });
  await insertDelivery('dlv_part_1', { ...part(1), status: 'DELIVERED', settled_at: '2026-01-01T00:00:00Z' });
  await insertDelivery('dlv_part_2', part(2));
  await insertDelivery('dlv_csv', { job_id: 'job_4', format: 'CSV', recipe: 'CSV' });
  await query(
    `INSERT INTO agent_data_source_payload (job_id, run, format, body_id, ready) VALUES ('job_4', 1, 'CSV', 'pld_4', true)`,
  );
  await undo();
  const sinks = await query('SELECT id, format, status, config FROM agent_data_source ORDER BY id');
  const config = { url: 'https://a.example/' };
  expect(sinks).toEqual([
    { id: 'ads_before', format: 'JSON', status: 'ACTIVE', config },
    { id: 'ads_csv', format: 'JSON', status: 'INACTIVE', config },
    { id: 'ads_fields', format: 'JSON', status: 'INACTIVE', config },
    { id: 'ads_gzip', format: 'JSON', status: 'INACTIVE', config },
    { id: 'ads_parts', format: 'JSON', status: 'INACTIVE', config },
    { id: 'ads_plain', format: 'JSON', status: 'ACTIVE', config },
  ]);
  expect(await query('SELECT id, format, status, reason FROM agent_data_source_delivery ORDER BY id')).toEqual([
    { id: 'dlv_after', format: 'JSON', status: 'PENDING', reason: null },
    { id: 'dlv_before', format: 'JSON', status: 'PENDING', reason: null },
    { id: 'dlv_csv', format: 'JSON', status: 'CANCELLED', reason: 'sink_inactive' },
    { id: 'dlv_part_1', format: 'JSON', status: 'DELIVERED', reason: null },
  ]);
  expect(await query('SELECT body_id FROM agent_data_source_payload')).toEqual([{ body_id: 'pld_1' }]);
  await dataSource.runMigrations();
});
