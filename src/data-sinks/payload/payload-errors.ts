/** The host no longer has the job's results; trying again would find the same. */
export class ResultsMissingError extends Error {
  readonly code = 'results_missing';
  override readonly name = 'ResultsMissingError';
}

/** Another worker is making this body now; it will be there soon. */
export class PayloadBeingBuiltError extends Error {
  readonly code = 'payload_being_built';
  override readonly name = 'PayloadBeingBuiltError';
}

/** The stored bytes are not what was recorded of them. Nothing may be sent from them. */
export class PayloadCorruptError extends Error {
  readonly code = 'payload_corrupt';
  override readonly name = 'PayloadCorruptError';
}

/** The job would be pushed in more parts than there may be; trying again would find the same. */
export class TooManyPartsError extends Error {
  readonly code = 'too_many_parts';
  override readonly name = 'TooManyPartsError';

  constructor(parts: number) {
    super(`the job would be pushed in ${parts} parts`);
  }
}
