/**
 * SQLSTATE classes for data that violates a type, a constraint or an index size. Excludes unique and foreign key
 * violations, which depend on other rows and may disappear.
 */
const REFUSALS = /^(22|23(?!503|505)|54)[0-9A-Z]{3}$/;

/** Whether the database refused the data itself, and would do so again. */
export function isRefusedData(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && REFUSALS.test(code);
}
