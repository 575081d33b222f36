/**
 * SQLSTATE classes: data that no column of its type holds, that breaks a constraint, that is larger than an index takes.
 * Not that a key is there already, nor that what it points to is missing: those tell of other rows, which come and go.
 */
const REFUSALS = /^(22|23(?!503|505)|54)[0-9A-Z]{3}$/;

/** Whether the database said no to what it was given: asked again, it would say the same. */
export function isRefusedData(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && REFUSALS.test(code);
}
