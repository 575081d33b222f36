import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DELIVERY_REASONS } from '../../../src/data-sinks/domain/delivery.js';
import { verifyAuditChains } from '../../../src/data-sinks/index.js';
import { Week } from './week.js';
import { MINUTE_MS } from './week-plan.js';

/**
 * `WEEK_SEED` plays another week, `WEEK_SINKS` one of another size, and `WEEK_STEP_MINUTES` looks more or less often than
 * every 45 minutes. A small week may not meet every trouble: then the second test says which one it lacked.
 */
const { WEEK_SEED = '20260129', WEEK_SINKS = '1000', WEEK_STEP_MINUTES = '45' } = process.env;
const size = { seed: Number(WEEK_SEED), sinks: Number(WEEK_SINKS), stepMs: Number(WEEK_STEP_MINUTES) * MINUTE_MS };
const PREPARED_WITHIN_MS = 120_000;
const LIVED_WITHIN_MS = 3_600_000;

describe(`a week of traffic to ${size.sinks} sinks, seed ${size.seed}`, () => {
  let week: Week;
  beforeAll(async () => {
    week = await Week.prepare(size);
  }, PREPARED_WITHIN_MS);
  afterAll(() => week.stop(), PREPARED_WITHIN_MS);

  const rows = <T>(sql: string): Promise<T[]> => week.parts.host.rows<T>(sql);
  const count = async (sql: string): Promise<number> => (await rows<{ n: number }>(sql))[0]?.n ?? Number.NaN;

  it(
    'loses nothing, sends nothing where it must not, and keeps its disks small',
    async () => {
      await week.live();
      process.stdout.write(`the week of seed ${size.seed}: ${JSON.stringify(week.counts())}\n`);
    },
    LIVED_WITHIN_MS,
  );

  it('had in it what can go wrong', () => {
    const { leftByDeadWorkers, reactivated, redelivered, recoveries, cancelledRecoveries, ...others } = week.counts();
    for (const n of [leftByDeadWorkers, reactivated, redelivered, recoveries, cancelledRecoveries]) {
      expect(n).toBeGreaterThan(0);
    }
    // The others need a host without results, a worker that dies five times over one delivery, jobs of several parts, or a
    // customer who cancels.
    const reasons = DELIVERY_REASONS.filter(
      (reason) => !/^(results|abandoned|parts|too_many)_|^requested$/.test(reason),
    );
    expect(Object.keys(others)).toEqual(expect.arrayContaining([...reasons, 'DELIVERED', 'FAILED', 'CANCELLED']));
  });

  it('ends with one object for each delivery to a bucket, also where the store’s answer was lost', async () => {
    const { objects, madeUnheard, foundThere } = week.counts();
    for (const n of [madeUnheard, foundThere]) expect(n).toBeGreaterThan(0);
    const [found] = await rows<{ delivered: number }>(
      `SELECT count(*)::int AS delivered FROM agent_data_source_delivery d
         JOIN agent_data_source s ON s.id = d.data_source_id AND s.type = 'S3' WHERE d.status = 'DELIVERED'`,
    );
    // Those of the last days: what is older is not kept. Each has its object, and no object was made twice (`check()`).
    expect(found?.delivered).toBeGreaterThan(0);
    expect(objects).toBeGreaterThanOrEqual(found?.delivered ?? Number.NaN);
  });

  it('ends with one secret for each sink, two while an overlap lasts, and none of a sink that was deleted', async () => {
    const sinks = await count('SELECT count(*)::int AS n FROM agent_data_source WHERE deleted_at IS NULL');
    expect(sinks).toBeLessThan(size.sinks);
    const overlaps = await count(
      'SELECT count(*)::int AS n FROM agent_data_source WHERE previous_secret_expires_at > now()',
    );
    expect(overlaps).toBeGreaterThan(0);
    expect(await count('SELECT count(*)::int AS n FROM agent_data_source_secret')).toBe(sinks + overlaps);
  });

  it('ends with the attempts of the month that it ended in', async () => {
    const months = await rows<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'agent_data_source_sync'::regclass AND c.relname LIKE '%m%' ORDER BY 1`,
    );
    expect(months.map(({ name }) => name.slice(-8))).toEqual(['y2026m02', 'y2026m03', 'y2026m04']);
  });

  it('ends with an audit trail that holds', async () => {
    expect(await verifyAuditChains(week.parts.host.dataSource.manager)).toEqual([]);
  });
});
