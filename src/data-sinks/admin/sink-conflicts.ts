import { ProblemError } from '../core/errors.js';

/** Of two changes that were made of the same state of a sink, the later one is lost: its author has not seen the first. */
export function changedMeanwhile(): ProblemError {
  return new ProblemError('temporarily-unavailable', 'The data source was changed by someone else just now.');
}

export function deletedMeanwhile(): ProblemError {
  return new ProblemError('not-found', 'The data source was deleted meanwhile.');
}
