import { setImmediate as turn } from 'node:timers/promises';

/** Work that takes so long and fails waited for something that is away: whatever comes next would wait and fail alike. */
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
  const deadline = performance.now() + TAKEN_APART_MS;
  try {
    return (await work(items)).map((value) => ({ status: 'fulfilled', value }));
  } catch (reason) {
    const settled: PromiseSettledResult<O>[] = [];
    for (const item of items) {
      const alone = items.length > 1 && performance.now() < deadline;
      settled.push(...(alone ? await settleEach([item], work) : [{ status: 'rejected' as const, reason }]));
    }
    return settled;
  }
}

/** The same slice after slice, with a turn of the event loop for others in between. */
export async function settleSlices<I, O>(
  slices: Iterable<readonly I[]>,
  work: (slice: readonly I[]) => Promise<readonly O[]>,
): Promise<PromiseSettledResult<O>[]> {
  const settled: PromiseSettledResult<O>[] = [];
  let away: PromiseRejectedResult | null = null;
  for (const slice of slices) {
    const begunAt = performance.now();
    const ended: PromiseSettledResult<O>[] = away
      ? new Array<PromiseSettledResult<O>>(slice.length).fill(away)
      : await settleEach(slice, work);
    const last = ended.at(-1);
    if (last?.status === 'rejected' && performance.now() - begunAt >= TAKEN_APART_MS) away = last;
    settled.push(...ended);
    await turn();
  }
  return settled;
}

/** What came of one, for whoever waits for it. @throws what it failed with */
export function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason as Error;
  return settled.value;
}
