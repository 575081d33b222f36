/** The host no longer has the job's results. Final. */
export class ResultsMissingError extends Error {
  readonly code = 'results_missing';
  override readonly name = 'ResultsMissingError';
}

/** Another worker is building this body. Temporary. */
export class PayloadBeingBuiltError extends Error {
  readonly code = 'payload_being_built';
  override readonly name = 'PayloadBeingBuiltError';
}

/** The stored bytes differ from what was recorded. They must not be sent. */
export class PayloadCorruptError extends Error {
  readonly code = 'payload_corrupt';
  override readonly name = 'PayloadCorruptError';
}

/** A package that writes Parquet is not installed in this process any more. Temporary: our failure. */
export class ParquetUnavailableError extends Error {
  readonly code = 'parquet_unavailable';
  override readonly name = 'ParquetUnavailableError';

  constructor(missing: readonly string[]) {
    super(`Parquet cannot be written here. Run: npm install ${missing.join(' ')}`);
  }
}

/** The job needs more parts than allowed. Final. */
export class TooManyPartsError extends Error {
  readonly code = 'too_many_parts';
  override readonly name = 'TooManyPartsError';

  constructor(parts: number) {
    super(`the job would be pushed in ${parts} parts`);
  }
}
