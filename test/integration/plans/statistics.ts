import type pg from 'pg';

const SAMPLE_ROWS = 10_000;

type Change = Partial<Record<'delivery' | 'job' | 'payload' | 'sync', string>>;

const SETTLED = `status = 'DELIVERED', reason = NULL, next_attempt_at = NULL, settled_at = now(), lease_token = NULL,
  lease_expires_at = NULL, recovery_id = NULL`;
const WAITS = `status = 'PENDING', reason = NULL, next_attempt_at = now() - random() * interval '1 hour', settled_at = NULL,
  lease_token = NULL, lease_expires_at = NULL, attempt_count = 0`;
const OF_ONE = `data_source_id = 'ads_' || lpad('7', 26, '0'), workspace_id = 'ws_7', agent_id = 'agt_7'`;

/** What ANALYZE may have found at another time than now, by what the tables were full of then. */
const FOUND: Readonly<Record<string, Change>> = {
  'all waiting': {
    delivery: WAITS,
    sync: `status = 'IN_FLIGHT', finished_at = NULL`,
    job: 'heard_at = NULL',
    payload: `ready = false, sha256 = NULL`,
  },
  'none waiting': {
    delivery: SETTLED,
    sync: `status = 'SUCCEEDED', finished_at = now()`,
  },
  'one sink holding all': { delivery: `${WAITS}, ${OF_ONE}`, sync: OF_ONE },
  'all in flight': {
    delivery: `status = 'IN_FLIGHT', next_attempt_at = NULL, settled_at = NULL, lease_token = gen_random_uuid(),
      lease_expires_at = now() - random() * interval '1 hour'`,
    sync: `status = 'IN_FLIGHT', finished_at = NULL`,
  },
  'all failed, in one recovery': {
    delivery: `status = 'FAILED', reason = 'retries_exhausted', next_attempt_at = NULL,
      settled_at = now() - random() * interval '1 hour', recovery_id = 'rcv_1', last_attempt_status = 'HTTP_4XX'`,
    sync: `status = 'HTTP_4XX', http_status = 401`,
  },
};

export const NEVER_ANALYSED = 'never analysed';

/** The names of the statistics that there are to pretend. */
export const STATISTICS: readonly string[] = [...Object.keys(FOUND), NEVER_ANALYSED];

/**
 * Statistics of other times. ANALYZE makes them, of copies of some rows that are changed to what the tables held then; and
 * the catalogue's rows are put in the place of those of the tables. The tables themselves stay as they are, so that what a
 * plan costs can be compared. Autovacuum must leave them alone meanwhile.
 */
export class Statistics {
  readonly #client: pg.Client;
  readonly #tables: readonly string[];

  private constructor(client: pg.Client, tables: readonly string[]) {
    this.#client = client;
    this.#tables = tables;
  }

  static async collect(client: pg.Client): Promise<Statistics> {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class
        WHERE relname LIKE 'agent\\_data\\_source\\_%' AND relkind = 'r' AND pg_relation_size(oid) > 0`,
    );
    const tables = rows.map(({ name }) => name);
    for (const name of tables) await client.query(`ALTER TABLE ${name} SET (autovacuum_enabled = false)`);
    for (const [at, changes] of Object.values(FOUND).entries()) {
      for (const name of tables) {
        const change = changes[kindOf(name)];
        if (!change) continue;
        const sample = sampleOf(at, name);
        await client.query(`CREATE UNLOGGED TABLE ${sample} (LIKE ${name} INCLUDING DEFAULTS)`);
        await client.query(`INSERT INTO ${sample} SELECT * FROM ${name} LIMIT ${SAMPLE_ROWS}`);
        await client.query(`UPDATE ${sample} SET ${change}`);
        await client.query(`VACUUM (FULL, ANALYZE) ${sample}`);
      }
    }
    return new Statistics(client, tables);
  }

  /** From now on the planner takes these for the tables' own, until they are analysed again. */
  async pretend(name: string): Promise<void> {
    const at = Object.keys(FOUND).indexOf(name);
    for (const table of this.#tables) {
      if (at < 0) {
        await this.#client.query('DELETE FROM pg_statistic WHERE starelid = $1::regclass', [table]);
        await this.#client.query('UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = $1::regclass', [table]);
      } else if (FOUND[name]?.[kindOf(table)]) {
        await this.#put(sampleOf(at, table), table);
      }
    }
  }

  async #put(sample: string, table: string): Promise<void> {
    const { rows } = await this.#client.query<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute
        WHERE attrelid = 'pg_statistic'::regclass AND attnum > 2 AND NOT attisdropped ORDER BY attnum`,
    );
    const others = rows.map(({ name }) => name).join(', ');
    await this.#client.query('DELETE FROM pg_statistic WHERE starelid = $1::regclass', [table]);
    await this.#client.query(
      `INSERT INTO pg_statistic (starelid, staattnum, ${others})
       SELECT own.attrelid, own.attnum, ${others}
         FROM pg_statistic s
         JOIN pg_attribute theirs ON theirs.attrelid = s.starelid AND theirs.attnum = s.staattnum
         JOIN pg_attribute own ON own.attrelid = $2::regclass AND own.attname = theirs.attname
        WHERE s.starelid = $1::regclass`,
      [sample, table],
    );
  }
}

const sampleOf = (at: number, table: string): string => `sample_${at}_${table}`;

function kindOf(table: string): keyof Change {
  if (table.startsWith('agent_data_source_sync')) return 'sync';
  return table.slice('agent_data_source_'.length) as keyof Change;
}
