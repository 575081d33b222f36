import { setImmediate as turn } from 'node:timers/promises';

/** Time limit. Work that took this long and failed was waiting for an unavailable service; so would the rest. */
export const SPLIT_LIMIT_MS = 10_000;

/**
 * Runs the work on the whole batch and, if it fails, on each item separately, so that only faulty items fail. The work
 * must be all-or-nothing.
 * @param work returns one output per item, in the same order
 * @returns the result of each item, in the same order. Never throws
 */
export async function settleBatch<I, O>(
  items: readonly I[],
  work: (items: readonly I[]) => Promise<readonly O[]>,
): Promise<PromiseSettledResult<O>[]> {
  const deadline = performance.now() + SPLIT_LIMIT_MS;
  try {
    return (await work(items)).map((value) => ({ status: 'fulfilled', value }));
  } catch (reason) {
    const settled: PromiseSettledResult<O>[] = [];
    for (const item of items) {
      const alone = items.length > 1 && performance.now() < deadline;
      settled.push(...(alone ? await settleBatch([item], work) : [{ status: 'rejected' as const, reason }]));
    }
    return settled;
  }
}

/** The same slice by slice, yielding to the event loop in between. */
export async function settleBatches<I, O>(
  slices: Iterable<readonly I[]>,
  work: (slice: readonly I[]) => Promise<readonly O[]>,
): Promise<PromiseSettledResult<O>[]> {
  const settled: PromiseSettledResult<O>[] = [];
  let away: PromiseRejectedResult | null = null;
  for (const slice of slices) {
    const begunAt = performance.now();
    const ended: PromiseSettledResult<O>[] = away
      ? new Array<PromiseSettledResult<O>>(slice.length).fill(away)
      : await settleBatch(slice, work);
    const last = ended.at(-1);
    if (last?.status === 'rejected' && performance.now() - begunAt >= SPLIT_LIMIT_MS) away = last;
    settled.push(...ended);
    await turn();
  }
  return settled;
}

/** The value of a settled promise. @throws its rejection */
export function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason as Error;
  return settled.value;
}
