import { readFileSync } from 'node:fs';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DATA_SINK_EVENTS } from '../../../src/data-sinks/index.js';
import { RecoveryRepository } from '../../../src/data-sinks/recovery/recovery.repository.js';
import { METRICS } from '../../../src/data-sinks/telemetry/metrics.js';
import { ModuleDatabase } from '../persistence/module-database.js';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const page = read('docs/operations.md');

/** The rows of the table whose first column has this head, by their first cell. */
function table(head: string): ReadonlyMap<string, readonly string[]> {
  const [, after = ''] = page.split(`| ${head} |`);
  const rows = new Map<string, readonly string[]>();
  for (const line of after.split('\n').slice(2)) {
    if (!line.startsWith('|')) break;
    const [first = '', ...rest] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'));
    rows.set(first, rest);
  }
  return rows;
}

describe('docs/operations.md', () => {
  it('has every metric with its kind and meaning, and no other', () => {
    const documented = [...table('metric')].map(([name, cells]) => [name, ...cells]);
    expect(documented).toEqual(Object.entries(METRICS).map(([name, [kind, , text]]) => [name, kind, text]));
  });

  it('has every event, and no other', () => {
    expect([...table('event').keys()]).toEqual(Object.values(DATA_SINK_EVENTS));
  });

  it('has the section that each alert links to', () => {
    const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    const wanted = [...read('docs/grafana/alerts.yml').matchAll(/operations\.md#(\S+)/g)].map(([, anchor]) => anchor);
    expect(wanted.length).toBeGreaterThan(3);
    expect(wanted.filter((anchor) => !anchors.includes(String(anchor)))).toEqual([]);
  });
});

describe('the SQL of docs/operations.md', () => {
  let database: ModuleDatabase;
  beforeAll(async () => {
    database = await ModuleDatabase.open();
    const sink = await database.sink({ status: 'DISABLED', disabled_reason: 'RECEIVER_GONE', disabled_at: new Date() });
    await database.sink({ failures_in_row: 5, paused_until: new Date() });
    await database.delivery(sink, { job_id: 'job_01J00000000000000000000000', dueInMs: -60_000 });
    const asked = { since: new Date(0), until: new Date(1), total: 1, requestedBy: { type: 'token', id: 'tok_1' } };
    const recovery = { id: 'rcv_1', workspaceId: 'ws_1', agentId: 'agt_1', dataSourceId: sink, ...asked };
    await new RecoveryRepository(databaseOf(database.manager)).start(recovery, databaseOf(database.manager));
  });
  afterAll(() => database.dataSource.destroy());

  const statements = [...page.matchAll(/```sql\n([\s\S]+?)```/g)].map(([, sql = '']) => sql);

  it.each(statements)('runs: %s', async (sql) => {
    expect(await database.all(sql)).toBeInstanceOf(Array);
  });

  it('runs and finds what its text says', async () => {
    const [late, , , paused, disabled, recovering, job] = await Promise.all(
      statements.slice(0, 7).map((sql) => database.all(sql)),
    );
    expect([late, paused, disabled, recovering, job].map((found) => found?.length)).toEqual([1, 1, 1, 1, 1]);
  });
});
