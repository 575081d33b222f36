import { type Database, rows, type Session } from './database.js';

/** For the turn among processes that start at once, with a lock that nobody else has to wait for. */
const TURN_TIMEOUT = '2s';
/**
 * For the locks that attempts wait for too, once somebody waits for them: each attempt that is closed would be as late. What
 * is refused is tried again at the next time.
 */
const LOCK_TIMEOUT_MS = 200;
/** Attempts wait for these statements as well: what takes longer, such as moving very many rows, is given up with its locks. */
const STATEMENT_TIMEOUT_MS = 20_000;

const LIMITS = { lockTimeoutMs: LOCK_TIMEOUT_MS, statementTimeoutMs: STATEMENT_TIMEOUT_MS };

interface Month {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export interface CreatedPartitions {
  /** The names of the partitions that were made. */
  readonly made: readonly string[];
  /** Why the others were not, by their names. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/**
 * Makes the monthly partitions of the attempts from this month on, where they are missing. The months are those of UTC,
 * by the database's clock. Each by itself: the default partition takes the attempts of one that cannot be made now.
 * @param limits for tests: how long it may wait for locks that attempts wait for too, and hold them for one statement
 * @throws what the database throws when it is asked which are missing
 */
export async function createAttemptPartitions(
  session: Session,
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
  return rows<Month>(
    database,
    `SELECT name, to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00' AS from,
            to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00' AS to
       FROM generate_series(0, $1::int) AS ahead,
            LATERAL (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month' AS month) AS m,
            LATERAL (SELECT 'agent_data_source_sync_' || to_char(month, '"y"YYYY"m"MM') AS name) AS n
      WHERE to_regclass(name) IS NULL ORDER BY ahead`,
    [monthsAhead],
  );
}

/**
 * Made apart and then attached: `PARTITION OF` would lock the table of all attempts against everybody, and wait for the
 * end of a long reader with every attempt that is opened behind it. The names and values come from the database.
 * @returns false when another process has made it meanwhile
 */
async function createPartition(
  transaction: Session,
  { name, from, to }: Month,
  { lockTimeoutMs, statementTimeoutMs }: typeof LIMITS,
): Promise<boolean> {
  await transaction.query(`SET LOCAL lock_timeout = '${TURN_TIMEOUT}'`);
  // Held by one at a time, and in nobody's way who reads or writes attempts: several processes may start at once.
  await transaction.query('LOCK TABLE ONLY agent_data_source_sync IN SHARE UPDATE EXCLUSIVE MODE');
  const [there] = await rows<{ missing: boolean }>(transaction, 'SELECT to_regclass($1) IS NULL AS missing', [name]);
  if (!there?.missing) return false;
  await transaction.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  await transaction.query(`SET LOCAL statement_timeout = ${statementTimeoutMs}`);
  // Room for the row's second version, the closed one, on the same page: its index entries are then made once.
  await transaction.query(
    `CREATE TABLE ${name} (LIKE agent_data_source_sync INCLUDING ALL EXCLUDING INDEXES) WITH (fillfactor = 60)`,
  );
  await moveFromDefault(transaction, { name, from, to });
  await transaction.query(
    `ALTER TABLE agent_data_source_sync ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}')`,
  );
  return true;
}

/**
 * A partition cannot be attached while the default one has rows of its month: attempts that were opened before it was
 * made. They are moved under locks that keep writers away, of the table first, as they lock it themselves: one who had
 * looked for the row of an attempt where it was would close nothing, and the push would be sent again.
 */
async function moveFromDefault(transaction: Session, { name, from, to }: Month): Promise<void> {
  const ofMonth = `started_at >= '${from}' AND started_at < '${to}'`;
  const strays = await rows(transaction, `SELECT 1 FROM agent_data_source_sync_default WHERE ${ofMonth} LIMIT 1`);
  if (strays.length === 0) return;
  await transaction.query('LOCK TABLE ONLY agent_data_source_sync IN SHARE ROW EXCLUSIVE MODE');
  await transaction.query('LOCK TABLE agent_data_source_sync_default IN ACCESS EXCLUSIVE MODE');
  await transaction.query(
    `WITH moved AS (DELETE FROM agent_data_source_sync_default WHERE ${ofMonth} RETURNING *)
     INSERT INTO ${name} SELECT * FROM moved`,
  );
}
