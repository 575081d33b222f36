import type { Provider } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { ResolvedDataSinksOptions } from './data-sinks.options.js';
import { DATABASE, OPTIONS, SESSION, WORKER_SESSION } from './data-sinks.tokens.js';
import { PayloadStore } from './payload/payload-store.js';
import { AttemptRepository } from './persistence/attempt.repository.js';
import { CommitWatch } from './persistence/commit-watch.js';
import { DataSinkRepository } from './persistence/data-sink.repository.js';
import type { Database } from './persistence/database.js';
import { DeliveryRepository } from './persistence/delivery.repository.js';
import { PreparedSession } from './persistence/prepared-session.js';
import { RecoveryRepository } from './persistence/recovery.repository.js';
import { Transactions } from './persistence/transactions.js';
import { provide } from './provide.js';

type Options = ResolvedDataSinksOptions;

/** A machine that is busy for seconds has lost no connection. */
const SHORTEST_WAIT_MS = 10_000;

/** Where statements run, and the repositories. */
export const persistence: readonly Provider[] = [
  provide(SESSION, [DATABASE, OPTIONS], (database: DataSource, { preparedStatements }: Options) =>
    preparedStatements ? new PreparedSession(database) : database.manager,
  ),
  provide(WORKER_SESSION, [SESSION, OPTIONS], (session: Database, { leaseMs }: Options) =>
    session instanceof PreparedSession ? session.within(Math.max(leaseMs, SHORTEST_WAIT_MS)) : session,
  ),
  provide(DataSinkRepository, [DATABASE], ({ manager }: DataSource) => new DataSinkRepository(manager)),
  provide(DeliveryRepository, [DATABASE], ({ manager }: DataSource) => new DeliveryRepository(manager)),
  provide(RecoveryRepository, [DATABASE], ({ manager }: DataSource) => new RecoveryRepository(manager)),
  provide(AttemptRepository, [DATABASE], ({ manager }: DataSource) => new AttemptRepository(manager)),
  provide(Transactions, [DATABASE], (database: DataSource) => new Transactions(database)),
  provide(CommitWatch, [DATABASE], (database: DataSource) => new CommitWatch(database)),
  provide(
    PayloadStore,
    [SESSION, OPTIONS],
    (session: Database, { leaseMs }: Options) => new PayloadStore(session, leaseMs),
  ),
];
