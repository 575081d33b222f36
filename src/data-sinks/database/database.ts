import { Inject, Injectable, Optional } from '@nestjs/common';
import { type DataSource, type EntityManager, QueryRunnerAlreadyReleasedError } from 'typeorm';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { DATA_SOURCE, OPTIONS } from '../data-sinks.tokens.js';
import type { OpenTransaction } from '../ports/open-transaction.js';
import { CommitSubscriber } from './commit-subscriber.js';
import { type Answer, primaryPool, type Queryable, sendWithin } from './connection.js';
import { PreparedStatements } from './prepared-statements.js';
import { tableNamesOf } from './table-names.js';
import { millisecondsOf, VALUE_PARSERS } from './value-parsers.js';
import { withoutConflict } from './without-conflict.js';

/** A machine that is busy for seconds has lost no connection. */
const SHORTEST_LIMIT_MS = 10_000;

/** Where the statements of a `Database` run, and what all of one module share. */
interface Place {
  readonly prepared: PreparedStatements;
  readonly commits: CommitSubscriber;
  /**
   * TypeORM's manager of the pool, taken once. Where a host lets its DataSource find its manager by the context of the call
   * (typeorm-transactional), a later look would find the transaction of a request, whose rollback is the host's.
   */
  readonly pool: EntityManager;
  /** The transaction; null on the pool. */
  readonly transaction: EntityManager | null;
  /** How long a statement on the pool is waited for; null without a limit. */
  readonly limitMs: number | null;
}

/**
 * The host's PostgreSQL as the module uses it: every statement runs on the primary, also where the host's reads go to
 * replicas, with the names that the tables have there, and its values are read with the module's own parsers.
 *
 * A `Database` stands for the pool or for one transaction. Functions run their statements on the one they are given: on
 * the embedded database, which has one connection, using the pool inside a transaction would deadlock.
 */
@Injectable()
export class Database {
  constructor(
    @Inject(DATA_SOURCE) readonly dataSource: DataSource,
    @Inject(OPTIONS) private readonly options: Pick<ResolvedDataSinksOptions, 'preparedStatements' | 'leaseMs'>,
    @Optional()
    private readonly place: Place = {
      prepared: new PreparedStatements(options.preparedStatements),
      commits: new CommitSubscriber(dataSource),
      pool: dataSource.manager,
      transaction: null,
      limitMs: null,
    },
  ) {}

  /** Runs a statement once. @returns its rows, of an UPDATE those that it returns */
  async query<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    return (await this.#run(text, values)).rows as T[];
  }

  /** Runs a statement once. @returns how many rows it changed, or read */
  async execute(text: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.#run(text, values)).rowCount ?? 0;
  }

  /**
   * The same as `query`, for a statement whose text is constant and that runs often: PostgreSQL plans it once per
   * connection, which for some costs more than executing it. In the host's transaction too, but not where the host has
   * switched prepared statements off.
   */
  async prepared<T>(text: string, values: readonly unknown[] = []): Promise<T[]> {
    const { transaction, prepared } = this.place;
    const runner = transaction?.queryRunner;
    // Whether there is a transaction is unknown, and outside of one a savepoint is an error.
    if (runner && !runner.isTransactionActive) return this.query(text, values);
    const named = tableNamesOf(transaction?.connection ?? this.dataSource).of(text);
    const answer = await prepared.run(
      named,
      (name) => this.#run(text, values, name),
      runner && ((command) => this.execute(command)),
    );
    return answer.rows as T[];
  }

  /**
   * Runs work in a transaction of its own. READ COMMITTED, whatever the database's or the connection's default is: the
   * module's locks and conditions are made for it, and under a stricter level one of two that change the same row fails.
   */
  transaction<T>(work: (transaction: Database) => Promise<T>): Promise<T> {
    return this.manager.transaction('READ COMMITTED', (manager) => work(this.in(manager)));
  }

  /**
   * The transaction that the caller is in, for instance the host's; this database itself when there is none.
   * @throws TypeError when it is not a TypeORM `EntityManager`
   */
  in(transaction: OpenTransaction | undefined): Database {
    if (transaction === undefined) return this;
    return this.#at({ transaction: asManager(transaction) });
  }

  /**
   * The same for a worker, which must outlive a connection that was lost: no statement on the pool is waited for longer
   * than a lease.
   */
  withinLease(): Database {
    return this.within(Math.max(this.options.leaseMs, SHORTEST_LIMIT_MS));
  }

  /** The same, with a limit in milliseconds for each statement on the pool. A late one is ended in the database too. */
  within(limitMs: number): Database {
    return this.#at({ limitMs });
  }

  /**
   * Runs the action after the transaction commits: workers must not be woken before they can see the rows. Runs nothing
   * after a rollback; outside a transaction it runs at once.
   */
  afterCommit(action: () => void): void {
    this.place.commits.afterCommit(this.place.transaction, action);
  }

  /** Whether `afterCommit` will hear of the commit: not in a transaction that was begun past TypeORM. */
  get hearsOfCommit(): boolean {
    return this.place.commits.hears(this.place.transaction);
  }

  /** What time it is for the database, in milliseconds since 1970. */
  async now(): Promise<number> {
    const [row] = await this.query<{ ms: number }>(`SELECT ${millisecondsOf('now()')} AS ms`);
    if (!row) throw new Error('SELECT now() gave no row');
    return Math.trunc(row.ms);
  }

  /** TypeORM's `EntityManager`, for the host's ports and for repositories. Its `query` has none of these guarantees. */
  get manager(): EntityManager {
    return this.place.transaction ?? this.place.pool;
  }

  #at(place: Partial<Place>): Database {
    return new Database(this.dataSource, this.options, { ...this.place, ...place });
  }

  /** @param name prepares the statement under it */
  async #run(text: string, values: readonly unknown[], name?: string): Promise<Answer> {
    const { transaction } = this.place;
    if (!transaction?.queryRunner) return this.#onPool(text, values, name);
    const { connection, queryRunner } = transaction;
    // A runner that lost its connection would take another one, outside of the transaction.
    if (queryRunner.isReleased) throw new QueryRunnerAlreadyReleasedError();
    const client = (await queryRunner.connect()) as Queryable;
    return client.query({
      ...(name !== undefined && { name }),
      text: tableNamesOf(connection).of(text),
      values: [...values],
      types: VALUE_PARSERS,
    });
  }

  #onPool(text: string, values: readonly unknown[], name?: string): Promise<Answer> {
    const { transaction, limitMs } = this.place;
    const dataSource = transaction?.connection ?? this.dataSource;
    const statement = {
      ...(name !== undefined && { name }),
      text: tableNamesOf(dataSource).of(text),
      values: [...values],
      types: VALUE_PARSERS,
    };
    return withoutConflict(() => {
      const pool = primaryPool(dataSource);
      return limitMs === null ? pool.query(statement) : sendWithin(pool, statement, limitMs);
    });
  }
}

/** Told by its shape: a host may have a second copy of TypeORM, whose classes are not ours. */
function asManager(transaction: OpenTransaction): EntityManager {
  if ('getRepository' in transaction && 'connection' in transaction) return transaction as EntityManager;
  throw new TypeError('the transaction is not a TypeORM EntityManager');
}

/** For a script of the host's, which has a `DataSource` and no module. */
export function databaseOf(given: EntityManager | DataSource): Database {
  const dataSource = 'connection' in given ? given.connection : given;
  const database = new Database(dataSource, { preparedStatements: false, leaseMs: 0 });
  return 'connection' in given ? database.in(given) : database;
}
