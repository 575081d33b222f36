/**
 * Makes something of each item, in slices of about one size; each is made when it is asked for, so that one at a time is
 * in memory. What is larger than a slice is one of its own.
 * @param size how much of a slice one takes
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
