import type { DataSource } from 'typeorm';
import type { Session } from './database.js';

/** Runs work in one transaction of the host's database. */
export class Transactions {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  run<T>(work: (transaction: Session) => Promise<T>): Promise<T> {
    return this.#dataSource.transaction(work);
  }
}
