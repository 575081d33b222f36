/** What was taken out of an iterable already, and then its rest. */
export async function* chain<T>(taken: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* taken;
  yield* rest;
}
