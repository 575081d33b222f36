import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CreateDataSinkTables1764000000000 } from '../../../migrations/1764000000000-CreateDataSinkTables.js';
import { ChainAuditEntries1764100000000 } from '../../../migrations/1764100000000-ChainAuditEntries.js';
import { DisableSinksAndExpire1764300000000 } from '../../../migrations/1764300000000-DisableSinksAndExpire.js';
import { RotateSecretsAndTrace1764400000000 } from '../../../migrations/1764400000000-RotateSecretsAndTrace.js';
import { PaceClaims1764500000000 } from '../../../migrations/1764500000000-PaceClaims.js';
import { RecoverDeliveries1764600000000 } from '../../../migrations/1764600000000-RecoverDeliveries.js';
import { PayloadRecipes1764700000000 } from '../../../migrations/1764700000000-PayloadRecipes.js';
import { KeyJobsByWorkspace1764800000000 } from '../../../migrations/1764800000000-KeyJobsByWorkspace.js';
import { KeepOutWhatIsNotDue1764900000000 } from '../../../migrations/1764900000000-KeepOutWhatIsNotDue.js';
import { OutboxForAudit1765200000000 } from '../../../migrations/1765200000000-OutboxForAudit.js';
import { WatchWorkers1765300000000 } from '../../../migrations/1765300000000-WatchWorkers.js';
import { WriteObjects1765400000000 } from '../../../migrations/1765400000000-WriteObjects.js';
import { KnowWorkersThatAreGone1765500000000 } from '../../../migrations/1765500000000-KnowWorkersThatAreGone.js';
import { CountTests1765600000000 } from '../../../migrations/1765600000000-CountTests.js';
import { ClaimByWorkspace1765700000000 } from '../../../migrations/1765700000000-ClaimByWorkspace.js';
import { NameWorkspacesToRoles1765800000000 } from '../../../migrations/1765800000000-NameWorkspacesToRoles.js';
import { ListByWorkspace1765900000000 } from '../../../migrations/1765900000000-ListByWorkspace.js';
import { tableNamesOf } from './table-names.js';

/** As landed: their statements use the plain names. */
const LANDED = [
  CreateDataSinkTables1764000000000,
  ChainAuditEntries1764100000000,
  DisableSinksAndExpire1764300000000,
  RotateSecretsAndTrace1764400000000,
  PaceClaims1764500000000,
  RecoverDeliveries1764600000000,
  PayloadRecipes1764700000000,
  KeyJobsByWorkspace1764800000000,
  KeepOutWhatIsNotDue1764900000000,
  OutboxForAudit1765200000000,
  WatchWorkers1765300000000,
  WriteObjects1765400000000,
  KnowWorkersThatAreGone1765500000000,
  CountTests1765600000000,
  ClaimByWorkspace1765700000000,
  NameWorkspacesToRoles1765800000000,
  ListByWorkspace1765900000000,
];

/** The module's migrations, oldest first, for the `migrations` of the host's own `DataSource`. */
export const dataSinksMigrations: MigrationClass[] = LANDED.map(withNamesOfHost);

interface Migration extends MigrationInterface {
  readonly name: string;
}
type MigrationClass = new () => Migration;

/**
 * A migration with the table names of the host's DataSource (`schema`, `entityPrefix`, `namingStrategy`). TypeORM
 * identifies a migration by its name, which does not change.
 */
function withNamesOfHost(landed: MigrationClass): MigrationClass {
  const migration = class implements Migration {
    readonly #landed = new landed();
    readonly name = this.#landed.name;

    up(runner: QueryRunner): Promise<void> {
      return this.#landed.up(withNames(runner));
    }

    down(runner: QueryRunner): Promise<void> {
      return this.#landed.down(withNames(runner));
    }
  };
  return Object.defineProperty(migration, 'name', { value: landed.name });
}

function withNames(runner: QueryRunner): QueryRunner {
  const names = tableNamesOf(runner.connection);
  return new Proxy(runner, {
    get(target, property): unknown {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      if (property !== 'query') return value.bind(target) as unknown;
      return (text: string, ...rest: [unknown[]?]) => target.query(names.of(text), ...rest);
    },
  });
}
