import { CreateDataSinkTables1764000000000 } from '../../migrations/1764000000000-CreateDataSinkTables.js';
import { ChainAuditEntries1764100000000 } from '../../migrations/1764100000000-ChainAuditEntries.js';
import { DisableSinksAndExpire1764300000000 } from '../../migrations/1764300000000-DisableSinksAndExpire.js';
import { RotateSecretsAndTrace1764400000000 } from '../../migrations/1764400000000-RotateSecretsAndTrace.js';
import { PaceClaims1764500000000 } from '../../migrations/1764500000000-PaceClaims.js';
import { RecoverDeliveries1764600000000 } from '../../migrations/1764600000000-RecoverDeliveries.js';
import { PayloadRecipes1764700000000 } from '../../migrations/1764700000000-PayloadRecipes.js';

/** The module's migrations, oldest first, for the `migrations` of the host's own `DataSource`. */
export const dataSinksMigrations = [
  CreateDataSinkTables1764000000000,
  ChainAuditEntries1764100000000,
  DisableSinksAndExpire1764300000000,
  RotateSecretsAndTrace1764400000000,
  PaceClaims1764500000000,
  RecoverDeliveries1764600000000,
  PayloadRecipes1764700000000,
];
