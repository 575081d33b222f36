import {
  Column,
  DataSource,
  type DataSourceOptions,
  DefaultNamingStrategy,
  Entity,
  type MigrationInterface,
  PrimaryGeneratedColumn,
  type QueryRunner,
} from 'typeorm';
import { dataSinksEntities, dataSinksMigrations } from 'nestjs-data-sinks';
import { environment } from './messy-environment.js';

const snake = (text: string): string => text.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/** As `typeorm-naming-strategies` does it, which has not come to TypeORM 1 yet. */
export class SnakeNaming extends DefaultNamingStrategy {
  override tableName(className: string, given: string | undefined): string {
    return given ?? snake(className);
  }

  override columnName(property: string, given: string | undefined, prefixes: string[]): string {
    return snake(prefixes.join('_')) + (given ?? snake(property));
  }

  override relationName(property: string): string {
    return snake(property);
  }

  override joinColumnName(relation: string, referenced: string): string {
    return snake(`${relation}_${referenced}`);
  }
}

/** The host's own. */
@Entity()
export class Hotel {
  @PrimaryGeneratedColumn()
  id!: number;

  @Column({ type: 'text' })
  displayName!: string;

  @Column({ type: 'int' })
  starCount!: number;
}

export class MakeHotels1700000000000 implements MigrationInterface {
  name = 'MakeHotels1700000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE platform.app_hotel (id serial PRIMARY KEY, display_name text NOT NULL, star_count int NOT NULL)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE platform.app_hotel');
  }
}

/** Writes go through PgBouncer, reads to a replica that lags: behind by all that was ever written. */
export function databaseOf({ withDataSinks }: { readonly withDataSinks: boolean }): DataSourceOptions {
  return {
    type: 'postgres',
    replication: { master: { url: environment('POOLER_URL') }, slaves: [{ url: environment('REPLICA_URL') }] },
    schema: 'platform',
    entityPrefix: 'app_',
    namingStrategy: new SnakeNaming(),
    migrationsTableName: 'schema_history',
    entities: [Hotel, ...(withDataSinks ? dataSinksEntities : [])],
    migrations: [MakeHotels1700000000000, ...(withDataSinks ? dataSinksMigrations : [])],
    migrationsRun: true,
  };
}

/** What whoever runs the host's databases does before its first start. */
export async function prepareDatabases(withDataSinks: boolean): Promise<void> {
  const { replication: _, ...options } = databaseOf({ withDataSinks }) as Extract<
    DataSourceOptions,
    { type: 'postgres' }
  >;
  const hotels = { PRIMARY_URL: 'Seen at the primary', REPLICA_URL: 'Seen at the replica' };
  for (const [variable, name] of Object.entries(hotels)) {
    const database = new DataSource({ ...options, url: environment(variable), migrationsRun: false });
    await database.initialize();
    await database.query('CREATE SCHEMA IF NOT EXISTS platform');
    await database.runMigrations();
    await database.query(
      `INSERT INTO platform.app_hotel (display_name, star_count)
       SELECT $1, 4 WHERE NOT EXISTS (SELECT FROM platform.app_hotel)`,
      [name],
    );
    await database.destroy();
  }
}
