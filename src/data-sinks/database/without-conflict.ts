import { setTimeout as delay } from 'node:timers/promises';
import { isConflict } from './connection-errors.js';

const MOST_TRIES = 8;
/** Maximum wait before the second try; doubled for each further try. */
const FIRST_WAIT_MS = 5;

/**
 * Retries one statement outside a transaction after a serialization failure or deadlock (SQLSTATE 40001 and 40P01).
 * With `repeatable read` or `serializable` as default, any statement may fail like this. A statement inside a
 * transaction must not be retried alone.
 * @throws the statement's error after eight tries
 */
export async function withoutConflict<T>(statement: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await statement();
    } catch (error) {
      if (tries === MOST_TRIES || !isConflict(error)) throw error;
      await delay(Math.random() * FIRST_WAIT_MS * 2 ** tries);
    }
  }
}
