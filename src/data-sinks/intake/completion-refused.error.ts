/** The database refused this completion and would refuse it again. `cause` is its error. */
export class CompletionRefusedError extends Error {
  readonly code = 'completion_refused';
  override readonly name = 'CompletionRefusedError';

  constructor(cause: unknown) {
    super(String(cause), { cause });
  }
}
