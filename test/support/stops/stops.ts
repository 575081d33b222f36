import type { StopStage } from './stop-stage.js';

/** A total stop on our own side. */
export interface Stop {
  readonly name: string;
  readonly stop: (stage: StopStage) => Promise<void>;
  readonly repair: (stage: StopStage) => Promise<void>;
  /** What `/healthz` says. */
  readonly health: { readonly status: 200 | 503; readonly says: RegExp };
  /** Of its one line in the log. */
  readonly log: RegExp | null;
  readonly alert: string;
  /** What the metrics say, where they say it later than the health. */
  readonly seen?: RegExp;
  /** Whether a job that finishes meanwhile is recorded. */
  readonly isRecorded: boolean;
  /** Whether it is delivered all the same. */
  readonly isDelivered?: true;
}

const setReadOnly = async (stage: StopStage, state: 'on' | 'off'): Promise<void> => {
  const name = stage.databaseName;
  await stage.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = ${state}`, '/postgres');
  await stage.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`, '/postgres');
};

const FULL_DISK = `
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON agent_data_source_sync FOR EACH ROW EXECUTE FUNCTION full_disk()`;

const NO_TABLES = `
CREATE FUNCTION no_tables() RETURNS event_trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'permission denied for schema public' USING ERRCODE = '42501'; END $$;
CREATE EVENT TRIGGER no_tables ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION no_tables();
DO $$ DECLARE part text; BEGIN
  FOR part IN SELECT c.oid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'agent_data_source_sync'::regclass AND c.relname ~ '_y[0-9]{4}m[0-9]{2}$'
  LOOP EXECUTE 'DROP TABLE ' || part; END LOOP; END $$`;

export const STOPS: readonly Stop[] = [
  {
    name: 'the vault’s key is another one',
    stop: (stage) => stage.restartHost({}, `test:${Buffer.alloc(32, 'another key').toString('base64')}`),
    repair: (stage) => stage.restartHost(),
    health: { status: 200, says: /"kind":"vault"/ },
    log: /"event":"vault.unavailable"/,
    alert: 'DataSinksVaultFails',
    isRecorded: true,
  },
  {
    name: 'the vault’s key is missing',
    stop: (stage) => stage.restartHost({}, `next:${Buffer.alloc(32, 'the next key').toString('base64')}`),
    repair: (stage) => stage.restartHost(),
    health: { status: 200, says: /"kind":"vault"/ },
    log: /"event":"vault.unavailable"/,
    alert: 'DataSinksVaultFails',
    isRecorded: true,
  },
  {
    name: 'the disk of the attempts is full',
    stop: (stage) => stage.sql(FULL_DISK),
    repair: (stage) => stage.sql('DROP FUNCTION full_disk() CASCADE'),
    health: { status: 200, says: /"kind":"database_refuses"/ },
    log: /"event":"delivery.not_opened"/,
    alert: 'DataSinksDatabaseRefuses',
    isRecorded: true,
  },
  {
    name: 'the database is read-only',
    stop: (stage) => setReadOnly(stage, 'on'),
    repair: (stage) => setReadOnly(stage, 'off'),
    health: { status: 503, says: /The database is read-only/ },
    log: /"kind":"database_refuses"/,
    alert: 'DataSinksDatabaseDown',
    isRecorded: false,
  },
  {
    name: 'the database refuses connections',
    stop: (stage) => stage.turnNetwork('cut'),
    repair: (stage) => stage.turnNetwork('open'),
    health: { status: 503, says: /The database does not answer/ },
    log: /"kind":"database"/,
    alert: 'DataSinksDatabaseDown',
    isRecorded: false,
  },
  {
    name: 'the database is silent',
    stop: (stage) => stage.turnNetwork('frozen'),
    repair: (stage) => stage.turnNetwork('open'),
    health: { status: 503, says: /The database does not answer/ },
    log: /"kind":"database"/,
    alert: 'DataSinksDatabaseDown',
    isRecorded: false,
  },
  {
    name: 'a port of the host’s fails',
    stop: async (stage) => stage.failPort(),
    repair: async (stage) => stage.repairPort(),
    health: { status: 200, says: /"kind":"port"/ },
    log: /"event":"gate.unavailable"/,
    alert: 'DataSinksPortFails',
    isRecorded: true,
  },
  {
    name: 'Redis is away',
    stop: (stage) => stage.redis.stop(),
    repair: (stage) => stage.redis.start(),
    health: { status: 200, says: /"kind":"redis"/ },
    log: /"event":"redis.unavailable"/,
    alert: 'DataSinksRedisDown',
    isRecorded: true,
    isDelivered: true,
  },
  {
    name: 'no worker is alive',
    stop: (stage) => stage.restartHost({ worker: false }),
    repair: (stage) => stage.restartHost(),
    health: { status: 200, says: /"kind":"workers"/ },
    log: null,
    alert: 'DataSinksNoWorker',
    seen: /^data_sinks_workers(\{.*\})? 0/m,
    isRecorded: true,
  },
  {
    name: 'partitions cannot be made',
    stop: async (stage) => {
      await stage.sql(NO_TABLES);
      await stage.restartHost();
    },
    repair: (stage) => stage.sql('DROP EVENT TRIGGER no_tables; DROP FUNCTION no_tables()'),
    health: { status: 200, says: /"kind":"partitions"/ },
    log: /"event":"sweeper.unavailable".*"step":"partitions"/,
    alert: 'DataSinksPartitionsMissing',
    isRecorded: true,
    isDelivered: true,
  },
];
