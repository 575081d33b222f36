import type { DataSource, EntityManager, EntitySubscriberInterface, TransactionCommitEvent } from 'typeorm';

/** Under this key a transaction carries what is to be done once it is committed. */
const AFTER_COMMIT = Symbol('data-sinks after commit');

type Carrier = { [AFTER_COMMIT]?: (() => void)[] };

/** Hears from TypeORM when a transaction, also one of the host's, is committed. */
export class CommitSubscriber implements EntitySubscriberInterface {
  constructor(private readonly dataSource: DataSource) {}

  /** Whether a commit will be heard of: nobody tells of the end of a transaction that was begun past TypeORM. */
  hears(manager: EntityManager | null): boolean {
    return !manager?.queryRunner || manager.queryRunner.isTransactionActive;
  }

  /** Now, when the manager is null or not in a transaction; else after its commit. */
  afterCommit(manager: EntityManager | null, action: () => void): void {
    const runner = manager?.queryRunner;
    if (!runner?.isTransactionActive) return action();
    // Not before: TypeORM replaces the list when it connects.
    if (!this.dataSource.subscribers.includes(this)) this.dataSource.subscribers.push(this);
    const carrier = runner.data as Carrier;
    (carrier[AFTER_COMMIT] ??= []).push(action);
  }

  afterTransactionCommit({ queryRunner }: TransactionCommitEvent): void {
    // The commit of a nested transaction is a savepoint's: the outer one decides.
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
