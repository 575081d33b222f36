import type { JobCompleted, JobKey, MappingResultRow } from '../core/job-completed.js';
import { MappingResults } from '../ports/mapping-results.js';
import { PORT_WITHIN_MS, within } from './within.js';

/** Generous: a host may sort a million rows before it gives out the first ones. */
export const ROWS_WITHIN_MS = 120_000;

type Rows = AsyncIterable<readonly MappingResultRow[]>;

/**
 * The host's results, which fail when they stop coming. A stream that hangs in the middle would keep a delivery in flight
 * for ever, since its lease is kept meanwhile. How long a body takes altogether is not limited, nor how long we take.
 */
export class PunctualResults extends MappingResults {
  constructor(private readonly results: MappingResults) {
    super();
  }

  findCompletedJob(workspaceId: string, jobId: string): Promise<JobCompleted | null> {
    return within(this.results.findCompletedJob(workspaceId, jobId), PORT_WITHIN_MS, 'the results');
  }

  async streamRows(job: JobKey): Promise<Rows | null> {
    const batches = await within(this.results.streamRows(job), ROWS_WITHIN_MS, 'the results');
    return batches && punctual(batches);
  }
}

async function* punctual(batches: Rows): AsyncGenerator<readonly MappingResultRow[], void> {
  const iterator = batches[Symbol.asyncIterator]();
  let asking = true;
  try {
    for (;;) {
      const next = await within(iterator.next(), ROWS_WITHIN_MS, 'the next rows');
      if (next.done) return;
      asking = false;
      yield next.value;
      asking = true;
    }
  } finally {
    const closed = Promise.resolve(iterator.return?.());
    // One that failed is closed already, and one that hangs closes when it can: nobody waits for it.
    if (asking) closed.catch(() => undefined);
    else await within(closed, ROWS_WITHIN_MS, 'the end of the results');
  }
}
