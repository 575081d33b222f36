/** Yields items already taken from an iterable, and then the rest of it. */
export async function* prepend<T>(taken: readonly T[], rest: AsyncIterable<T>): AsyncGenerator<T> {
  yield* taken;
  yield* rest;
}
