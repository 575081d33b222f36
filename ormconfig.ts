import { createDataSource } from './src/reference-host/persistence/create-data-source.js';
import { parseEnvironment } from './src/reference-host/environment.js';

/**
 * For the TypeORM command line, after `npm run build`: `npx typeorm migration:show -d dist/ormconfig.js`. It reads the
 * same variables as the host and opens nothing until it is initialised.
 */
export const dataSource = createDataSource(parseEnvironment(process.env));
