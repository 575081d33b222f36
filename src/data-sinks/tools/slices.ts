/**
 * Maps items to results in slices of about `size`. Each slice is made on demand, so only one is in memory. An item
 * larger than a slice gets its own.
 * @param most maximum size of a slice
 * @param size the size of a result
 */
export function* slicesOf<I, O>(
  items: readonly I[],
  most: number,
  make: (item: I) => O,
  size: (made: O) => number,
): Generator<readonly O[], void> {
  let [slice, taken]: [O[], number] = [[], 0];
  for (const item of items) {
    const made = make(item);
    if (slice.length > 0 && taken + size(made) > most) {
      yield slice;
      [slice, taken] = [[], 0];
    }
    slice.push(made);
    taken += size(made);
  }
  if (slice.length > 0) yield slice;
}
