import type { MappingResultRow } from '../domain/job-completed.js';
import { InvalidResultsError } from '../domain/body/result-row.js';

/**
 * The rows of a job, checked against the number in its completion: a stream that ends early without an error would give
 * a body that looks complete.
 * @param total `stats.total` of the completion
 * @throws InvalidResultsError at the first row too many, or at the end when rows are missing
 */
export async function* expectedRows(
  total: number,
  batches: AsyncIterable<readonly MappingResultRow[]>,
): AsyncGenerator<readonly MappingResultRow[], void> {
  let rows = 0;
  for await (const batch of batches) {
    rows += batch.length;
    if (rows > total) {
      throw new InvalidResultsError(`MappingResults.streamRows() returned more rows than stats.total (${total})`);
    }
    yield batch;
  }
  if (rows < total) {
    throw new InvalidResultsError(
      `MappingResults.streamRows() ended after ${rows} of the ${total} rows of stats.total`,
    );
  }
}
