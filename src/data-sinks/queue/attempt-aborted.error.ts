/** The reason of the abort signal of an upload that must stop. */
export class AttemptAbortedError extends Error {
  override readonly name = 'AttemptAbortedError';

  /** @param code `shutdown`: the process is stopping; `lease_lost`: another worker has claimed the delivery */
  constructor(readonly code: 'shutdown' | 'lease_lost') {
    super(code);
  }
}
