import type { DataSink } from '../domain/data-sink.js';
import { ProblemError } from '../domain/errors.js';

/**
 * Optimistic locking: of two changes to the same state of a sink, the later is refused. Its author has not seen the
 * first.
 */
export function changedMeanwhile(): ProblemError {
  return new ProblemError('changed-meanwhile', 'The data source was changed by another request. Read it again.');
}

const MOST_TRIES = 3;

/**
 * Applies a change to a sink as it is now, again where another request has changed it meanwhile: each change names only
 * what it is about.
 * @param find reads the sink again
 * @throws ProblemError `changed-meanwhile` when it loses three times
 */
export async function retryLostRace<T>(
  sink: DataSink,
  find: () => Promise<DataSink | null>,
  apply: (sink: DataSink) => Promise<T>,
): Promise<T> {
  let current = sink;
  for (let tries = 1; ; tries++) {
    try {
      return await apply(current);
    } catch (error) {
      if (tries === MOST_TRIES || !(error instanceof ProblemError) || error.code !== 'changed-meanwhile') throw error;
      current = (await find()) ?? current;
      if (current.deletedAt !== null) throw deletedMeanwhile();
    }
  }
}

export function deletedMeanwhile(): ProblemError {
  return new ProblemError('not-found', 'The data source was deleted by another request.');
}
