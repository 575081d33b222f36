import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { migratedPostgres, type TestDatabase } from '../../support/postgres-template.js';
import { hotStatements } from './hot-statements.js';
import { fillTables, IN_FLIGHT_EVERY, type Sizes, sinkId, vacuum } from './large-tables.js';
import { type Cost, costsOf, recordStatements, type SentStatement, tablesReadThrough } from './query-plans.js';
import { NEVER_ANALYSED, Statistics, STATISTICS } from './statistics.js';

/** Another plan may read half as many pages again, and a few more: of another index, or one for each of a small table. */
const DEARER = 1.5;
const A_FEW = 32;

/** As a claim asked before: whether a sink has a fresh delivery that is due. */
const BY_STATISTICS: SentStatement = {
  sql: `SELECT EXISTS (SELECT FROM agent_data_source_delivery d
         WHERE d.data_source_id = $1 AND d.status = 'PENDING' AND d.next_attempt_at <= now())`,
  parameters: [sinkId(5)],
  isPrepared: true,
};

interface Measured {
  readonly name: string;
  readonly mode: string;
  readonly costs: readonly Cost[];
}

/** Tests what the hot statements cost on tables of such a size, whatever the planner takes them to hold. */
export function describePlans(sizes: Sizes, timeoutMs: number): void {
  describe(`with ${sizes.settled} settled deliveries and ${sizes.backlog} that wait or are in flight`, () => {
    let database: TestDatabase;
    let dataSource: DataSource;
    let client: pg.Client;
    let statistics: Statistics;
    const sent = new Map<string, readonly SentStatement[]>();
    const friendly = new Map<string, readonly number[]>();

    /** Every statement with each kind of plan that it may have. */
    async function measure(pretended?: string): Promise<Measured[]> {
      await vacuum(dataSource, 'INDEX_CLEANUP ON');
      if (pretended !== undefined) await statistics.pretend(pretended);
      const measured: Measured[] = [];
      for (const [name, statements] of sent) {
        for (const mode of ['force_custom_plan', 'force_generic_plan'] as const) {
          if (mode === 'force_generic_plan' && !statements.every(({ isPrepared }) => isPrepared)) continue;
          measured.push({ name, mode, costs: await costsOf(client, statements, mode) });
        }
      }
      return measured;
    }

    /** What a statement may cost that is known to depend on statistics, and yet not on how many deliveries have settled. */
    function excused(name: string, pretended: string): number {
      // Planned for each call, for one sink. Not promised yet.
      if (/^(a page of recoveries|the delivery of a job|surveying|pacing)/.test(name)) return Number.POSITIVE_INFINITY;
      if (name === 'sweeping leases') return sizes.backlog / IN_FLIGHT_EVERY + A_FEW;
      // Once an hour, and autovacuum analyses a table of this size within a minute.
      if (name === 'expiring deliveries' && pretended === NEVER_ANALYSED) return Number.POSITIVE_INFINITY;
      return 0;
    }

    beforeAll(async () => {
      database = await migratedPostgres(dataSinksMigrations);
      dataSource = new DataSource({ type: 'postgres', url: database.url, entities: dataSinksEntities });
      await dataSource.initialize();
      client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await fillTables(dataSource, sizes);
      for (const [name, work] of Object.entries(hotStatements(sizes))) {
        sent.set(name, await recordStatements(dataSource, work));
      }
      statistics = await Statistics.collect(client);
      for (const { name, costs } of await measure()) {
        const before = friendly.get(name);
        friendly.set(
          name,
          costs.map(({ pages }, i) => Math.min(pages, before?.[i] ?? pages)),
        );
      }
    }, timeoutMs);

    afterAll(async () => {
      await client.end();
      await dataSource.destroy();
      await database.drop();
    });

    it('every hot statement was sent and measured', () => {
      expect([...sent].filter(([, statements]) => statements.length === 0)).toEqual([]);
      expect(friendly.size).toBe(sent.size);
    });

    it(
      'no table that grows is read through when the statistics are true',
      async () => {
        for (const [name, statements] of sent) {
          for (const statement of statements) {
            expect({ name, through: await tablesReadThrough(dataSource, statement) }).toEqual({ name, through: [] });
          }
        }
      },
      timeoutMs,
    );

    it('a statement that reads a table through is seen', async () => {
      const sql = `SELECT count(*) FROM agent_data_source_sync WHERE answer_excerpt = 'x'`;
      const through = await tablesReadThrough(dataSource, { sql, parameters: [], isPrepared: false });
      expect(through).toEqual(expect.arrayContaining([expect.stringMatching(/^agent_data_source_sync_/)]));
    });

    it.each(STATISTICS)(
      'no hot statement is dearer by half when ANALYZE has found: %s',
      async (pretended) => {
        const dear = (await measure(pretended)).flatMap(({ name, mode, costs }) =>
          costs.flatMap(({ pages, plan }, i) => {
            const before = friendly.get(name)?.[i] ?? 0;
            return pages > Math.max(before * DEARER + A_FEW, excused(name, pretended))
              ? `${name}, statement ${i}, ${mode}: ${pages} pages instead of ${before}\n${plan}`
              : [];
          }),
        );
        expect(dear).toEqual([]);
      },
      timeoutMs,
    );

    it(
      'a statement that goes by the statistics is seen',
      async () => {
        await vacuum(dataSource, 'ANALYZE');
        const [before] = await costsOf(client, [BY_STATISTICS], 'force_generic_plan');
        await statistics.pretend('one sink holding all');
        const [after] = await costsOf(client, [BY_STATISTICS], 'force_generic_plan');
        expect(after?.pages).toBeGreaterThan((before?.pages ?? 0) * DEARER + A_FEW);
      },
      timeoutMs,
    );
  });
}
