/** The database said no to a completion itself, and would say the same again. What it said is the cause. */
export class CompletionRefusedError extends Error {
  readonly code = 'completion_refused';
  override readonly name = 'CompletionRefusedError';

  constructor(cause: unknown) {
    super(String(cause), { cause });
  }
}
