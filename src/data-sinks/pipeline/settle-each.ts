/** A batch that failed is taken apart for so long: while the database or the host is away, each item fails like all. */
export const TAKEN_APART_MS = 10_000;

/**
 * Does the work with all items at once and, when that fails, with each alone: only what is at fault fails, whatever is
 * wrong with it. For work that is done for all of its items or for none.
 * @param work answers with one output per item, in the same order
 * @returns how each item ended, in the same order. Never throws
 */
export async function settleEach<I, O>(
  items: readonly I[],
  work: (items: readonly I[]) => Promise<readonly O[]>,
): Promise<PromiseSettledResult<O>[]> {
  try {
    return (await work(items)).map((value) => ({ status: 'fulfilled', value }));
  } catch (reason) {
    const deadline = performance.now() + TAKEN_APART_MS;
    const settled: PromiseSettledResult<O>[] = [];
    for (const item of items) {
      const alone = items.length > 1 && performance.now() < deadline;
      settled.push(...(alone ? await settleEach([item], work) : [{ status: 'rejected' as const, reason }]));
    }
    return settled;
  }
}

/** What came of one, for whoever waits for it. @throws what it failed with */
export function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason as Error;
  return settled.value;
}
