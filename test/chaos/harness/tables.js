// @ts-check
import pg from 'pg';

/** A scenario's database, asked over connections that live no longer than a question: the server may be dead before the next. */
export class Tables {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
  }

  /**
   * @template T
   * @param {(client: pg.Client) => Promise<T>} look
   * @returns {Promise<T>}
   */
  async read(look) {
    const client = new pg.Client({ connectionString: this.url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await look(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /**
   * @param {string} sql
   * @param {unknown[]} [values]
   * @returns {Promise<Record<string, any>[]>}
   */
  query(sql, values = []) {
    return this.read(async (client) => (await client.query(sql, values)).rows);
  }

  /** @param {Date} since @param {string} condition on `agent_data_source_sync` @returns {Promise<number>} */
  async countAttempts(since, condition) {
    const [row] = await this.query(
      `SELECT count(*)::int AS count FROM agent_data_source_sync
        WHERE started_at >= date_trunc('milliseconds', $1::timestamptz) AND (${condition})`,
      [since],
    );
    return Number(row?.['count']);
  }

  /** Whether nothing is left to do; false also while the server does not answer. */
  async clear() {
    const [open] = await this.query(OPEN).catch(() => []);
    return open?.['count'] === '0';
  }
}

/** Deliveries that are not settled or whose ends are not in the audit trail, recoveries under way, and completions that nobody has made deliveries of. */
const OPEN = `
SELECT (SELECT count(*) FROM agent_data_source_recovery WHERE finished_at IS NULL)
     + (SELECT count(*) FROM agent_data_source_delivery WHERE status IN ('PENDING', 'RETRYING', 'IN_FLIGHT'))
     + (SELECT count(*) FROM agent_data_source_audit_outbox)
     + (SELECT count(*) FROM host_mapping_job h WHERE h.state = 'COMPLETED' AND NOT EXISTS (
          SELECT FROM agent_data_source_job j WHERE j.workspace_id = h.workspace_id AND j.job_id = h.id AND j.heard_at IS NOT NULL)) AS count`;
