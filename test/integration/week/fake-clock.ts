import { jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from '../../../src/data-sinks/index.js';
import { emptyPostgres } from '../../support/postgres-template.js';

/** Timers and the event loop stay real; what time it is does not. */
const STAYS_REAL = [
  ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const),
  ...(['hrtime', 'nextTick', 'queueMicrotask'] as const),
];

const STARTED = { ms: Date.now(), hr: process.hrtime.bigint() };

/** What time it is for servers that this clock does not move. */
export function realDate(): Date {
  return new Date(STARTED.ms + Number((process.hrtime.bigint() - STARTED.hr) / 1_000_000n));
}

/**
 * One time for this process and for a PostgreSQL of its own, and both stand still until they are moved. Our statements
 * ask for `now()` without naming its schema, and here find this one first; the columns' defaults do too, since the tables
 * are made under the same search path. Nothing of the code under test knows.
 */
export class FakeClock {
  private constructor(
    readonly dataSource: DataSource,
    private readonly drop: () => Promise<void>,
  ) {}

  static async start(at: Date): Promise<FakeClock> {
    const { url, drop } = await emptyPostgres();
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      entities: dataSinksEntities,
      migrations: dataSinksMigrations,
      poolSize: 10,
      extra: { options: '-c search_path=public,fake,pg_catalog' },
    }).initialize();
    const clock = new FakeClock(dataSource, drop);
    jest.useFakeTimers({ now: at, doNotFake: [...STAYS_REAL] });
    await dataSource.query('CREATE SCHEMA fake');
    await clock.#tell();
    await dataSource.runMigrations();
    return clock;
  }

  /** Milliseconds since 1970. */
  get ms(): number {
    return Date.now();
  }

  async moveTo(ms: number): Promise<void> {
    if (ms < this.ms) throw new Error('time does not go back');
    // Moves the clock that cannot be set as well.
    jest.advanceTimersByTime(ms - this.ms);
    await this.#tell();
  }

  async stop(): Promise<void> {
    jest.useRealTimers();
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
    await this.drop();
  }

  /** A constant, so that a statement costs what it costs with the real one. */
  async #tell(): Promise<void> {
    await this.dataSource.query(
      `CREATE OR REPLACE FUNCTION fake.now() RETURNS timestamptz LANGUAGE sql STABLE AS
       $$ SELECT timestamptz '${new Date(this.ms).toISOString()}' $$`,
    );
  }
}
