import type { Database } from '../database/database.js';

/** Timeout for the advisory lock among processes that start at once. Nothing else waits for this lock. */
const TURN_TIMEOUT = '2s';
/**
 * Timeout for table locks that attempts also need: while we wait, every attempt to be closed waits behind us. On a
 * timeout we try again next time.
 */
const LOCK_TIMEOUT_MS = 200;
/** Statement timeout while holding those locks: e.g. moving very many rows is given up. */
const STATEMENT_TIMEOUT_MS = 20_000;

const LIMITS = { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS };

interface Month {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export interface CreatedPartitions {
  /** Names of the partitions that were created. */
  readonly made: readonly string[];
  /** Errors of the others, by partition name. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/**
 * Creates missing monthly partitions of the attempts table, from the current month on. Months are in UTC, by the
 * database's clock. Each is created separately; the default partition holds the attempts of a month whose partition
 * cannot be created now.
 * @param limits for tests: lock timeout and statement timeout
 * @throws when the database cannot say which are missing
 */
export async function createAttemptPartitions(
  session: Database,
  monthsAhead = 2,
  limits: Partial<typeof LIMITS> = {},
): Promise<CreatedPartitions> {
  const made: string[] = [];
  const failures = new Map<string, unknown>();
  for (const month of await listMissing(session, monthsAhead)) {
    try {
      const isMade = await session.transaction((transaction) =>
        createPartition(transaction, month, { ...LIMITS, ...limits }),
      );
      if (isMade) made.push(month.name);
    } catch (error) {
      failures.set(month.name, error);
    }
  }
  return { made, failures };
}

function listMissing(database: Database, monthsAhead: number): Promise<Month[]> {
  return database.query<Month>(
    `SELECT name, to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00' AS from,
            to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00' AS to
       FROM generate_series(0, $1::int) AS ahead,
            LATERAL (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month' AS month) AS m,
            LATERAL (SELECT regexp_replace('agent_data_source_sync_default', 'default("?)$',
                                          to_char(month, '"y"YYYY"m"MM') || '\\1') AS name) AS n
      WHERE to_regclass(name) IS NULL ORDER BY ahead`,
    [monthsAhead],
  );
}

/**
 * Creates the table first and then attaches it: `PARTITION OF` would take an exclusive lock on the attempts table and
 * wait for long readers, with every new attempt queued behind it. Names and values come from the database.
 * @returns false when another process has created it meanwhile
 */
async function createPartition(
  transaction: Database,
  { name, from, to }: Month,
  { lockTimeoutMs, statementTimeoutMs }: typeof LIMITS,
): Promise<boolean> {
  await transaction.execute(`SET LOCAL lock_timeout = '${TURN_TIMEOUT}'`);
  // A lock for processes that start at the same time. It blocks no reader or writer of attempts.
  await transaction.execute('LOCK TABLE ONLY agent_data_source_sync IN SHARE UPDATE EXCLUSIVE MODE');
  const [there] = await transaction.query<{ missing: boolean }>('SELECT to_regclass($1) IS NULL AS missing', [name]);
  if (!there?.missing) return false;
  await transaction.execute(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  await transaction.execute(`SET LOCAL statement_timeout = ${statementTimeoutMs}`);
  // Leaves room for the closed version of a row on the same page (HOT update), which avoids new index entries.
  await transaction.execute(
    `CREATE TABLE ${name} (LIKE agent_data_source_sync INCLUDING ALL EXCLUDING INDEXES) WITH (fillfactor = 60)`,
  );
  await moveFromDefault(transaction, { name, from, to });
  await transaction.execute(
    `ALTER TABLE agent_data_source_sync ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}')`,
  );
  return true;
}

/**
 * A partition cannot be attached while the default partition has rows of its month. These attempts were opened before
 * the partition existed; they are moved under locks that block writers. The parent table is locked first, in the same
 * order as writers do: a writer that had looked up an attempt at its old place would close nothing, and the push would
 * be sent again.
 */
async function moveFromDefault(transaction: Database, { name, from, to }: Month): Promise<void> {
  const ofMonth = `started_at >= '${from}' AND started_at < '${to}'`;
  const strays = await transaction.query(`SELECT 1 FROM agent_data_source_sync_default WHERE ${ofMonth} LIMIT 1`);
  if (strays.length === 0) return;
  await transaction.execute('LOCK TABLE ONLY agent_data_source_sync IN SHARE ROW EXCLUSIVE MODE');
  await transaction.execute('LOCK TABLE agent_data_source_sync_default IN ACCESS EXCLUSIVE MODE');
  await transaction.execute(`WITH moved AS (DELETE FROM agent_data_source_sync_default WHERE ${ofMonth} RETURNING *)
     INSERT INTO ${name} SELECT * FROM moved`);
}
