import type { DataSource } from 'typeorm';
import { ConfigurationError } from '../domain/errors.js';
import { dataSinksEntities } from './entities/index.js';
import { tableNamesOf } from './table-names.js';

/**
 * @throws ConfigurationError when the host's data source does not know our entities, or names their columns otherwise:
 *   every request would fail
 */
export function checkEntities(database: DataSource): void {
  const missing = dataSinksEntities.filter((entity) => !database.hasMetadata(entity)).map(({ name }) => name);
  if (missing.length === 0) return checkNaming(database);
  throw new ConfigurationError(
    `the DataSource of the module does not have its entities (${missing.join(', ')}). Put ` +
      'dataSinksEntities into its "entities" (with "autoLoadEntities", import TypeOrmModule.forFeature(dataSinksEntities)) ' +
      'and dataSinksMigrations into its "migrations"; when the module belongs to ' +
      'another DataSource, name that one with "dataSourceName"',
  );
}

/** Tables may be called as the host likes; columns may not: statements and migrations name them. */
function checkNaming(database: DataSource): void {
  tableNamesOf(database);
  for (const entity of dataSinksEntities) {
    for (const { databaseName, givenDatabaseName, propertyName, isVirtualProperty } of database.getMetadata(entity)
      .columns) {
      const name = givenDatabaseName ?? propertyName;
      if (databaseName === name || isVirtualProperty) continue;
      throw new ConfigurationError(
        `the namingStrategy of the DataSource calls the column "${name}" of ${entity.name} "${databaseName}". Let its ` +
          'columnName() keep the name that an entity gives, and lower-case properties without one as they are ' +
          '("return customName ?? …"); or give the module a DataSource of its own, and name it with "dataSourceName"',
      );
    }
  }
}
