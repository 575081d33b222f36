/**
 * Does something with each item, with so many under way at a time, and gives the results in the order of the items. The
 * source is asked for the next item while the work on those before it goes on elsewhere.
 */
export async function* ahead<I, O>(
  items: AsyncIterable<I>,
  most: number,
  work: (item: I) => Promise<O>,
): AsyncGenerator<O, void> {
  const underWay: Promise<O>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Awaited below, in its turn; until then a failure is nobody's.
      result.catch(() => undefined);
      underWay.push(result);
      const [first] = underWay;
      if (first && underWay.length >= most) {
        yield await first;
        void underWay.shift();
      }
    }
    for (let first = underWay[0]; first; first = underWay[0]) {
      yield await first;
      void underWay.shift();
    }
  } finally {
    await Promise.allSettled(underWay);
  }
}
