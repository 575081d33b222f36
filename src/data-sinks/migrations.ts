import { CreateDataSinkTables1764000000000 } from '../../migrations/1764000000000-CreateDataSinkTables.js';
import { ChainAuditEntries1764100000000 } from '../../migrations/1764100000000-ChainAuditEntries.js';
import { DisableSinksAndExpire1764300000000 } from '../../migrations/1764300000000-DisableSinksAndExpire.js';
import { RecoverDeliveries1764600000000 } from '../../migrations/1764600000000-RecoverDeliveries.js';

/** The module's migrations, oldest first, for the `migrations` of the host's own `DataSource`. */
export const dataSinksMigrations = [
  CreateDataSinkTables1764000000000,
  ChainAuditEntries1764100000000,
  DisableSinksAndExpire1764300000000,
  RecoverDeliveries1764600000000,
];
