import type { JobKey, MappingResultRow } from '../core/job-completed.js';
import type { MappingResults } from '../ports/mapping-results.js';
import { within } from './within.js';

/** Generous: a host may sort a million rows before it gives out the first ones. */
export const ROWS_WITHIN_MS = 120_000;

type Rows = AsyncIterable<readonly MappingResultRow[]>;

/**
 * The host's results, which fail when they stop coming. A stream that hangs in the middle would keep a delivery in flight
 * for ever, since its lease is kept meanwhile. How long a body takes altogether is not limited, nor how long we take.
 */
export class PunctualResults implements Pick<MappingResults, 'streamRows'> {
  constructor(private readonly results: Pick<MappingResults, 'streamRows'>) {}

  async streamRows(job: JobKey): Promise<Rows | null> {
    const asked = this.results.streamRows(job);
    try {
      const batches = await within(asked, ROWS_WITHIN_MS, 'the results');
      return batches && punctual(batches);
    } catch (error) {
      // The host may have opened a cursor for it by then, and is asked again for another: nobody else would close it.
      asked.then(closeUnread).catch(() => undefined);
      throw error;
    }
  }
}

async function* punctual(batches: Rows): AsyncGenerator<readonly MappingResultRow[], void> {
  const iterator = batches[Symbol.asyncIterator]();
  let [asking, over] = [true, false];
  const ask = async () => {
    try {
      const next = await iterator.next();
      over = next.done === true;
      return next;
    } catch (error) {
      over = true;
      throw error;
    }
  };
  try {
    for (;;) {
      const next = await within(ask(), ROWS_WITHIN_MS, 'the next rows');
      if (next.done) return;
      asking = false;
      yield next.value;
      asking = true;
    }
  } finally {
    // As with `for await`, one that ended or failed has let go of everything, and may not bear to be closed once more.
    if (!over) {
      const closed = close(iterator);
      // One that hangs closes when it can: nobody waits for it.
      if (!asking) await within(closed, ROWS_WITHIN_MS, 'the end of the results').catch(() => undefined);
    }
  }
}

/** By its first rows: what was not begun runs no `finally` of a generator, nor destroys a Node stream. */
async function closeUnread(batches: Rows | null): Promise<void> {
  if (!batches) return;
  for await (const _first of punctual(batches)) return;
}

/** Never fails, whatever the host does: what was read or went wrong before is what counts. */
async function close(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // Nothing more can be done for it.
  }
}
