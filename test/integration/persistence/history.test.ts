import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DeliveryRepository } from '../../../src/data-sinks/delivery/delivery.repository.js';
import { AttemptRepository } from '../../../src/data-sinks/delivery/attempt.repository.js';
import type { HistoryFilter } from '../../../src/data-sinks/delivery/history.sql.js';
import { DataSinkRepository } from '../../../src/data-sinks/sinks/data-sink.repository.js';
import { databaseOf } from '../../../src/data-sinks/database/database.js';
import type { Page, PageRequest } from '../../../src/data-sinks/database/page.js';
import { firstIdAt } from '../../../src/data-sinks/domain/ids.js';
import { ModuleDatabase } from './module-database.js';

let database: ModuleDatabase;
let deliveries: DeliveryRepository;
let attempts: AttemptRepository;

beforeAll(async () => {
  database = await ModuleDatabase.open();
  deliveries = new DeliveryRepository(databaseOf(database.manager));
  attempts = new AttemptRepository(databaseOf(database.manager));
});
beforeEach(() => database.clear());
afterAll(() => database.dataSource.destroy());

const DAY = Date.UTC(2026, 4, 25);

/** Ids of the so manieth second of a day. */
const idAt = (kind: 'delivery' | 'attempt', second: number): string => firstIdAt(kind, DAY + second * 1_000);

/** What `n` is the number of, in each of the statements below. */
interface Made {
  readonly from: number;
  readonly to: number;
  /** An expression of `n`, as are the others. */
  readonly sink: string;
  readonly status?: string;
  readonly errorCode?: string;
}

/** One delivery each second, without a job's results. */
async function make({ from, to, sink, status = `'DELIVERED'`, errorCode = 'NULL' }: Made): Promise<void> {
  const ids = Array.from({ length: to - from + 1 }, (_, i) => idAt('delivery', from + i));
  await database.all(
    `INSERT INTO agent_data_source_job (workspace_id, job_id, run, agent_id, completed_at, total, matched, unmatched)
     SELECT 'ws_1', 'job_' || n, 1, 'agt_1', now(), 1, 1, 0 FROM generate_series($1::int, $2::int) n`,
    [from, to],
  );
  await database.all(
    `INSERT INTO agent_data_source_delivery
       (id, workspace_id, agent_id, data_source_id, job_id, run, format, trigger, status, retries_allowed, settled_at,
        last_error_code, created_at, next_attempt_at)
     SELECT made.id, 'ws_1', 'agt_1', ${sink}, 'job_' || n, 1, 'JSON', 'AUTO', ${status}, 2,
            CASE WHEN ${status} IN ('DELIVERED', 'FAILED', 'CANCELLED') THEN now() END, ${errorCode},
            $2::timestamptz + n * interval '1 second', CASE WHEN ${status} IN ('PENDING', 'RETRYING') THEN now() END
       FROM unnest($1::text[]) WITH ORDINALITY made (id, place), LATERAL (SELECT place + ${from - 1} AS n) numbered`,
    [ids, new Date(DAY)],
  );
}

/** All pages, one after the other: their items, and how many each had. */
async function walk(
  list: (page: PageRequest) => Promise<Page<{ readonly id: string }>>,
  limit: number,
): Promise<{ ids: string[]; sizes: number[] }> {
  const ids: string[] = [];
  const sizes: number[] = [];
  for (let afterId: string | null = null; ;) {
    const page: Page<{ readonly id: string }> = await list({ limit, afterId });
    ids.push(...page.items.map(({ id }) => id));
    sizes.push(page.items.length);
    if (page.nextAfterId === null) return { ids, sizes };
    afterId = page.nextAfterId;
  }
}

const walkDeliveries = (sinks: readonly string[], filter: HistoryFilter, limit: number) =>
  walk((page) => deliveries.list({ workspaceId: 'ws_1', dataSourceId: sinks, ...(filter as object) }, page), limit);

describe('the deliveries of several sinks are one list:', () => {
  const SINKS = Array.from({ length: 40 }, (_, i) => `ads_${i}`);

  /** One sink has nine of ten; the others have a few each, some none. */
  const fill = () => make({ from: 0, to: 999, sink: `'ads_' || CASE WHEN n % 10 > 0 THEN 0 ELSE n / 10 % 33 END` });

  it.each([
    ['newest', 7],
    ['newest', 100],
    ['oldest', 7],
    ['oldest', 100],
  ] as const)('%s first, %i a page, each once and in order', async (order, limit) => {
    await fill();
    const all = Array.from({ length: 1_000 }, (_, n) => idAt('delivery', n));
    const { ids, sizes } = await walkDeliveries(SINKS, { order }, limit);
    expect(ids).toEqual(order === 'newest' ? all.toReversed() : all);
    expect(sizes.slice(0, -1).every((size) => size === limit)).toBe(true);
  });

  it('between two times', async () => {
    await fill();
    const [since, until] = [new Date(DAY + 400_000), new Date(DAY + 500_000)];
    const { ids } = await walkDeliveries(SINKS, { since, until }, 30);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, i) => idAt('delivery', 499 - i)));
  });

  it('of some sinks only', async () => {
    await fill();
    const { ids } = await walkDeliveries(['ads_3', 'ads_5'], { order: 'oldest' }, 3);
    expect(ids).toEqual([30, 50, 360, 380, 690, 710].map((n) => idAt('delivery', n)));
    expect(await walkDeliveries([], {}, 3)).toEqual({ ids: [], sizes: [0] });
  });

  it('of one job, and of no other workspace', async () => {
    await fill();
    expect((await walkDeliveries(SINKS, { jobId: 'job_360' }, 3)).ids).toEqual([idAt('delivery', 360)]);
    expect((await walkDeliveries(['ads_4'], { jobId: 'job_360' }, 3)).ids).toEqual([]);
    const theirs = await deliveries.list({ workspaceId: 'ws_2', dataSourceId: SINKS }, { limit: 3, afterId: null });
    expect(theirs.items).toEqual([]);
  });

  it('of each status and error code, as they are found among all', async () => {
    const words = ['DELIVERED', 'FAILED', 'PENDING', 'RETRYING', 'IN_FLIGHT', 'CANCELLED'];
    const status = `(ARRAY['${words.join("', '")}'])[1 + n % 6]`;
    await make({ from: 0, to: 599, sink: `'ads_' || n % 5`, status, errorCode: `'code_' || n % 7` });
    const numbers = Array.from({ length: 600 }, (_, i) => 599 - i);
    for (const [i, word] of words.entries()) {
      const { ids } = await walkDeliveries(SINKS, { statuses: [word], errorCode: 'code_2' }, 4);
      expect(ids).toEqual(numbers.filter((n) => n % 6 === i && n % 7 === 2).map((n) => idAt('delivery', n)));
    }
    const { ids } = await walkDeliveries(SINKS, { statuses: ['FAILED', 'CANCELLED'], order: 'oldest' }, 50);
    const both = numbers.toReversed().filter((n) => n % 6 === 1 || n % 6 === 5);
    expect(ids).toEqual(both.map((n) => idAt('delivery', n)));
  });

  it('of more that failed than are sorted for a page', async () => {
    await make({ from: 0, to: 1_499, sink: `'ads_' || n % 3`, status: `'FAILED'` });
    const { ids } = await walkDeliveries(SINKS, { statuses: ['FAILED'] }, 100);
    expect(ids).toEqual(Array.from({ length: 1_500 }, (_, i) => idAt('delivery', 1_499 - i)));
  });

  it('a page that looked at 20,000 ends, and the next one goes on: one of 50,000 is found', async () => {
    await make({ from: 0, to: 49_999, sink: `'ads_' || n % 3`, errorCode: `CASE n WHEN 7 THEN 'rare' END` });
    const { ids, sizes } = await walkDeliveries(SINKS, { errorCode: 'rare' }, 100);
    expect(ids).toEqual([idAt('delivery', 7)]);
    expect(sizes.length).toBeGreaterThanOrEqual(2);
    expect(sizes.length).toBeLessThanOrEqual(4);
    expect(sizes.slice(0, -1).every((size) => size === 0)).toBe(true);
  });
});

it('attempts of a sink are filtered by status, error code, job and time, in both orders', async () => {
  await make({ from: 0, to: 9, sink: `'ads_1'` });
  for (let n = 0; n < 10; n++) {
    await database.all(
      `INSERT INTO agent_data_source_sync
         (id, started_at, delivery_id, data_source_id, workspace_id, agent_id, job_id, attempt_number, trigger, status,
          error_code, url, auth_scheme, config_version, payload_sha256, payload_bytes, worker_id)
       VALUES ($1, $2, $3, 'ads_1', 'ws_1', 'agt_1', $4, 1, 'AUTO', $5, $6, 'https://a.example', 'Bearer', 1, '\\xab', 1, 'w')`,
      [
        ...[idAt('attempt', n), new Date(DAY + n * 1_000), idAt('delivery', n), `job_${n}`],
        ...(n % 3 === 0 ? ['TIMEOUT', 'response_timeout'] : ['SUCCEEDED', null]),
      ],
    );
  }
  const numbers = async (filter: HistoryFilter): Promise<string[]> =>
    (
      await walk(
        (page) => attempts.list({ workspaceId: 'ws_1', dataSourceId: 'ads_1', ...(filter as object) }, page),
        2,
      )
    ).ids;
  const ids = (...wanted: number[]): string[] => wanted.map((n) => idAt('attempt', n));
  expect(await numbers({})).toEqual(ids(9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
  expect(await numbers({ statuses: ['TIMEOUT'] })).toEqual(ids(9, 6, 3, 0));
  expect(await numbers({ errorCode: 'response_timeout', order: 'oldest' })).toEqual(ids(0, 3, 6, 9));
  expect(await numbers({ jobId: 'job_4' })).toEqual(ids(4));
  expect(await numbers({ jobId: 'job_4', statuses: ['TIMEOUT'] })).toEqual([]);
  expect(await numbers({ since: new Date(DAY + 2_000), until: new Date(DAY + 5_000) })).toEqual(ids(4, 3, 2));
});

it('a workspace’s sinks with a history are those of its agents, deleted ones too', async () => {
  const [one, other] = [await database.sink(), await database.sink({ agent_id: 'agt_2' })];
  const deleted = await database.sink({ deleted_at: new Date(), status: 'INACTIVE' });
  await database.sink({ workspace_id: 'ws_2' });
  const sinks = new DataSinkRepository(databaseOf(database.manager));
  const found = async (only: Parameters<DataSinkRepository['idsOfHistory']>[1]) => sinks.idsOfHistory('ws_1', only);
  expect(await found({})).toEqual([one, other, deleted].toSorted());
  expect(await found({ agentIds: ['agt_1'] })).toEqual([one, deleted].toSorted());
  expect(await found({ agentIds: ['agt_1'], sinkId: other })).toEqual([]);
  expect(await found({ agentIds: [] })).toEqual([]);
});
