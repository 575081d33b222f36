import type { DataSource, EntityManager, EntitySubscriberInterface, TransactionCommitEvent } from 'typeorm';

/** Under this key a transaction carries what is to be done once it is committed. */
const AFTER_COMMIT = Symbol('data-sinks after commit');

type Carrier = { [AFTER_COMMIT]?: (() => void)[] };

/**
 * Does something once a transaction of the host's has been committed: rows that nobody can see yet must not wake
 * anybody. When the transaction is rolled back, nothing is done.
 */
export class CommitWatch implements EntitySubscriberInterface {
  constructor(dataSource: DataSource) {
    dataSource.subscribers.push(this);
  }

  /** Now, when there is no manager or it is not in a transaction; else after its commit. */
  afterCommit(manager: EntityManager | undefined, action: () => void): void {
    const runner = manager?.queryRunner;
    if (!runner?.isTransactionActive) return action();
    const carrier = runner.data as Carrier;
    (carrier[AFTER_COMMIT] ??= []).push(action);
  }

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    // An inner transaction's commit is a savepoint's: the outer one decides.
    if (queryRunner.isTransactionActive) return;
    const carrier = queryRunner.data as Carrier;
    const actions = carrier[AFTER_COMMIT] ?? [];
    delete carrier[AFTER_COMMIT];
    for (const action of actions) action();
  }

  afterTransactionRollback({ queryRunner }: Pick<TransactionCommitEvent, 'queryRunner'>): void {
    if (!queryRunner.isTransactionActive) delete (queryRunner.data as Carrier)[AFTER_COMMIT];
  }
}
