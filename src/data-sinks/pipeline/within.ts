/**
 * A host's port may never answer, nor a database whose connection was lost without a word. What waits for it waits so
 * long, and then fails as if it had.
 * @throws Error when the time is over; what the work throws later is nobody's
 */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not answer within ${ms} ms`)), ms);
    // What was not waited for at the end of the process, a look say, must not hold that up.
    timer.unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
