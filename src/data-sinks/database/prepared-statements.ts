import { createHash } from 'node:crypto';
import { EventLog } from '../tools/event-log.js';

interface Prepared {
  readonly digest: string;
  executions: number;
}

/** A statement is prepared anew when it has been executed this many times more often than at the last time. */
const GROWTH = 4;

/**
 * Number of executions in transactions that are guarded by a savepoint, because an error would end the host's transaction.
 * The first ones on each connection prove nothing, since they prepare the statement; after a thousand, most have found it
 * prepared, and a pooler that loses statements would have been noticed.
 */
const GUARDED_EXECUTIONS = 1_000;

const SWITCH_OFF = 'a pooler shares connections between transactions: set the option preparedStatements to false';

/**
 * Names for prepared statements. A plan is as good as what was known when it was made, and one that was made for empty
 * tables may read them through until the database has analysed them, a minute later. So plans age with use: a statement
 * gets a new name, and a new plan, after its 4th, 16th, 64th … execution.
 */
export class PreparedStatements {
  readonly #logger = new EventLog();
  readonly #prepared = new Map<string, Prepared>();
  #executed = 0;

  constructor(private isOn: boolean) {}

  /**
   * Runs a statement under its name, or without one once a pooler was found that mixes the connections up.
   * @param text with the names that the tables have in this database: modules that share a pool of connections agree on
   *   the name, and different statements never do
   * @param inTransaction runs a command in the statement's transaction; left out outside of one
   */
  async run<T>(
    text: string,
    execute: (name?: string) => Promise<T>,
    inTransaction?: (command: string) => Promise<unknown>,
  ): Promise<T> {
    if (!this.isOn) return execute();
    const guarded = this.#executed < GUARDED_EXECUTIONS ? inTransaction : undefined;
    try {
      await guarded?.(`SAVEPOINT ${SAVEPOINT}`);
      const answer = await execute(this.#nameOf(text));
      await guarded?.(`RELEASE SAVEPOINT ${SAVEPOINT}`);
      if (inTransaction) this.#executed += 1;
      return answer;
    } catch (error) {
      const why = whyUnusable(error);
      if (!why) throw error;
      // Nothing of it was executed. Others that are under way meet the same.
      if (why === 'stale') this.#renew(text);
      else if (this.isOn) {
        this.#logger.warn({
          event: 'prepared_statements.off',
          message: 'prepared statements get lost between two statements, so none are used from now on',
          ...{ error: String(error), todo: SWITCH_OFF },
        });
        this.isOn = false;
      }
      if (inTransaction && !guarded) throw error;
      await guarded?.(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`);
      await guarded?.(`RELEASE SAVEPOINT ${SAVEPOINT}`);
      return execute();
    }
  }

  /** The next execution has another name. */
  #renew(text: string): void {
    const prepared = this.#prepared.get(text);
    if (prepared) prepared.executions *= GROWTH;
  }

  #nameOf(text: string): string {
    let prepared = this.#prepared.get(text);
    if (!prepared) {
      prepared = { digest: createHash('sha256').update(text).digest('base64url').slice(0, 16), executions: 0 };
      this.#prepared.set(text, prepared);
    }
    const age = Math.floor(Math.log(++prepared.executions) / Math.log(GROWTH));
    return `data-sinks-${prepared.digest}-${age}`;
  }
}

const SAVEPOINT = 'data_sinks';

/**
 * - `lost`: the connection has no statement of this name, or one that another client prepared
 * - `stale`: a migration has changed the type of one of its columns
 */
function whyUnusable(error: unknown): 'lost' | 'stale' | null {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (code === '26000' || code === '42P05') return 'lost';
  return code === '0A000' ? 'stale' : null;
}
