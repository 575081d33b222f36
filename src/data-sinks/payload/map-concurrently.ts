/**
 * Maps items with limited concurrency and yields the results in the order of the items. The next item is requested
 * while earlier ones are being processed.
 */
export async function* mapConcurrently<I, O>(
  items: AsyncIterable<I>,
  most: number,
  work: (item: I) => Promise<O>,
): AsyncGenerator<O, void> {
  const underWay: Promise<O>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // Awaited below in order; until then its rejection must not count as unhandled.
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
