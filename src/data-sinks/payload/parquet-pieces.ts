import { parquetColumns, parquetValues } from '../domain/body/parquet-layout.js';
import type { PayloadFacts } from '../domain/body/layout.js';
import type { PayloadRecipe } from '../domain/body/payload-recipe.js';
import type { MappingResultRow } from '../domain/job-completed.js';
import type { BodyThreadClient } from './body-thread-client.js';
import { mapConcurrently } from './map-concurrently.js';
import { parquetPackages } from './parquet-package.js';
import { type BodyChunk, slicesOfRows } from './row-slices.js';

/**
 * What determines the bytes of a file, beside its rows. Never change it: a rebuilt body must have the same bytes. With
 * 20,000 rows a group takes the thread a quarter of a second, and the file is 1 % larger than with 50,000 (measured).
 */
const LAYOUT = {
  rowsPerGroup: 20_000,
  textPerGroup: 8 * 1024 * 1024,
  // In the form that readers parse to work around the faults of old writers. It is the layout's version, not the package's.
  createdBy: 'nestjs-data-sinks version 1.0.0 (build parquet-1)',
} as const;

/** Portions of rows that the thread has in hand while the next are read: more than it needs to be never idle. */
const SLICES_UNDER_WAY = 8;
/** A row group comes in one; larger ones are divided. */
const PIECE_BYTES = 256 * 1024;

/**
 * The bytes of a Parquet file as rows arrive: a header, row groups, and at last a footer.
 * @throws InvalidResultsError
 * @throws ParquetUnavailableError when a package is not installed
 */
export async function* parquetPieces(
  { fields, parquetCodec = 'snappy' }: PayloadRecipe,
  facts: PayloadFacts,
  batches: AsyncIterable<readonly MappingResultRow[]>,
  thread: Pick<BodyThreadClient, 'beginParquet'>,
): AsyncGenerator<BodyChunk> {
  const codec = parquetCodec === 'gzip' ? 'GZIP' : 'SNAPPY';
  const file = thread.beginParquet({
    ...{ ...LAYOUT, columns: parquetColumns(fields), codec },
    ...parquetPackages(parquetCodec),
  });
  try {
    let rowsSoFar = 0;
    const write = async (rows: readonly MappingResultRow[]): Promise<BodyChunk> => {
      rowsSoFar += rows.length;
      const ends = rowsSoFar;
      return { bytes: await file.rows(parquetValues(fields, rows, facts)), rowsSoFar: ends };
    };
    for await (const written of mapConcurrently(slicesOfRows(batches), SLICES_UNDER_WAY, write))
      yield* divided(written);
    yield* divided({ bytes: await file.end(), rowsSoFar });
  } finally {
    file.forget();
  }
}

function* divided({ bytes, rowsSoFar }: BodyChunk): Generator<BodyChunk> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    yield { bytes: bytes.subarray(at, at + PIECE_BYTES), rowsSoFar };
  }
}
