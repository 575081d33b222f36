import type { DataSource } from 'typeorm';
import { ConfigurationError } from '../domain/errors.js';

/** The attempts table: its partitions have its name plus a month. */
const PARTITIONED = 'agent_data_source_sync';

/** The tables as named in migrations and statements, with their entity classes for naming strategies. */
const TABLES: Readonly<Record<string, string>> = {
  agent_data_source: 'DataSourceEntity',
  agent_data_source_job: 'CompletedJobEntity',
  agent_data_source_delivery: 'DeliveryEntity',
  agent_data_source_recovery: 'RecoveryEntity',
  [PARTITIONED]: 'AttemptEntity',
  agent_data_source_payload: 'PayloadEntity',
  agent_data_source_payload_chunk: 'PayloadChunkEntity',
  agent_data_source_secret: 'SecretEntity',
  agent_data_source_worker: 'WorkerEntity',
  agent_data_source_workspace: 'WorkspaceEntity',
  agent_data_source_audit: 'AuditEntryEntity',
  agent_data_source_audit_head: 'AuditHeadEntity',
  agent_data_source_audit_outbox: 'AuditOutboxEntity',
};

/** One of our names, not part of a longer one, with the preceding word: triggers have no schema of their own. */
const OUR_NAME = /\b(TRIGGER\s+)?(?<![\w".])agent_data_source\w*/g;
const NAMED_INDEX = /\b(?:DROP|ALTER) INDEX (IF EXISTS )?(?!IF )(?=\w)/g;

/** PostgreSQL truncates longer names. */
const LONGEST_NAME = 63;

/**
 * Names of the module's tables in the host's database, according to the DataSource's `schema`, `entityPrefix` and
 * `namingStrategy`. Statements and migrations use the plain names, which are replaced here and nowhere else. Indexes,
 * constraints, functions and triggers keep their names, in the schema.
 */
export class TableNames {
  readonly #schema: string;
  readonly #tables = new Map<string, string>();
  readonly #isPlain: boolean;
  /** Texts are constants, except those that name a partition. */
  readonly #renamed = new Map<string, string>();

  /** @throws ConfigurationError when a name would be truncated */
  constructor({ options, namingStrategy }: Pick<DataSource, 'options' | 'namingStrategy'>) {
    const schema = 'schema' in options && typeof options.schema === 'string' ? options.schema : '';
    this.#schema = schema === '' ? '' : `${quoted(schema)}.`;
    for (const [name, target] of Object.entries(TABLES)) {
      const named = namingStrategy.tableName(target, name);
      const prefix = options.entityPrefix;
      this.#tables.set(name, prefix ? namingStrategy.prefixTableName(prefix, named) : named);
    }
    this.#isPlain = schema === '' && [...this.#tables].every(([name, given]) => name === given);
    const longest = `${this.#tables.get(PARTITIONED)}_y2026m01`;
    if (Buffer.byteLength(longest) > LONGEST_NAME) {
      throw new ConfigurationError(
        `the DataSource's entityPrefix or namingStrategy names a partition "${longest}", which is longer than the ` +
          `${LONGEST_NAME} bytes that PostgreSQL keeps of a name: shorten it`,
      );
    }
  }

  /** Replaces the table names in a statement. */
  of(statement: string): string {
    if (this.#isPlain) return statement;
    let renamed = this.#renamed.get(statement);
    if (renamed === undefined) {
      renamed = statement
        .replace(NAMED_INDEX, (verb) => `${verb}${this.#schema}`)
        .replace(OUR_NAME, (name, trigger?: string) => (trigger === undefined ? this.#nameOf(name) : name));
      this.#renamed.set(statement, renamed);
    }
    return renamed;
  }

  #nameOf(name: string): string {
    const table = this.#tables.get(name);
    if (table !== undefined) return `${this.#schema}${quoted(table)}`;
    const [, partition] = /^agent_data_source_sync(_default|_y\d{4}m\d{2})$/.exec(name) ?? [];
    if (partition !== undefined) return `${this.#schema}${quoted(`${this.#tables.get(PARTITIONED)}${partition}`)}`;
    return `${this.#schema}${name}`;
  }
}

const KNOWN = new WeakMap<DataSource, TableNames>();

/** @throws ConfigurationError when a name would be truncated */
export function tableNamesOf(dataSource: DataSource): TableNames {
  let names = KNOWN.get(dataSource);
  if (!names) KNOWN.set(dataSource, (names = new TableNames(dataSource)));
  return names;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
