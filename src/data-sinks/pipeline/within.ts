import { NoAnswerError } from '../core/errors.js';

/** For a host's port whose answer can be done without for now: it is asked again, or its silence is reported. */
export const PORT_WITHIN_MS = 10_000;

/**
 * A host's port may never answer, nor a database whose connection was lost without a word. What waits for it waits so
 * long, and then fails as if it had.
 * @throws NoAnswerError when the time is over; what the work throws later is nobody's
 */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // A process that is about to end does not stay for it.
    timer = setTimeout(() => reject(new NoAnswerError(`${what} did not answer within ${ms} ms`)), ms).unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
