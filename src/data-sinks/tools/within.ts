import { NoAnswerError } from '../domain/errors.js';

/**
 * Waits for work with a time limit: neither a host's port nor a database with a dead connection may block its caller
 * for ever.
 * @param what who should answer, for the message
 * @throws NoAnswerError after the limit. The work continues; its rejection is ignored
 */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // Unreferenced: a process that is about to exit does not wait for it.
    timer = setTimeout(() => reject(new NoAnswerError(`${what} did not answer within ${ms} ms`)), ms).unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
