/** Thrown into an upload that must stop, as the reason of its abort signal. */
export class AttemptAbortedError extends Error {
  override readonly name = 'AttemptAbortedError';

  /** @param code `shutdown`: this process ends; `lease_lost`: the delivery is another worker's by now */
  constructor(readonly code: 'shutdown' | 'lease_lost') {
    super(code);
  }
}
