import { getMetadataArgsStorage } from 'typeorm';
import { millisecondsOf } from './value-parsers.js';

type Entity<T> = new () => T;

/** Properties as read: times are numbers. */
export interface EntityRow {
  readonly id: string;
}

/** Reads entities with plain statements: TypeORM's repositories would read from a replica. */
export class EntityColumns<T extends object> {
  /** Columns of the table with this alias, for a SELECT. */
  readonly list: string;
  readonly #times: readonly string[];

  constructor(entity: Entity<T>, alias: string) {
    const all = getMetadataArgsStorage().filterColumns(entity);
    const columns = all.filter(({ options }) => options.select !== false);
    const times = new Set(columns.filter(({ options }) => options.type === 'timestamptz').map((c) => c.propertyName));
    this.#times = [...times];
    this.list = columns
      .map(({ propertyName, options }) => {
        const column = options.query ? `(${options.query(alias)})` : `${alias}.${options.name ?? propertyName}`;
        return `${times.has(propertyName) ? millisecondsOf(column) : column} AS "${propertyName}"`;
      })
      .join(', ');
  }

  /** A row with its times converted. */
  readonly toEntity = (row: EntityRow): T => {
    const entity = { ...row } as Record<string, unknown>;
    for (const name of this.#times) {
      const at = entity[name];
      if (typeof at === 'number') entity[name] = new Date(at);
    }
    return entity as T;
  };
}
