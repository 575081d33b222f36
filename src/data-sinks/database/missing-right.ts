/** SQLSTATE `insufficient_privilege`. */
const MISSING_RIGHT = '42501';

/** Whether the role lacks a privilege. docs/database.md lists the required ones. */
export function isMissingRight(error: unknown): boolean {
  return (error as { readonly code?: unknown } | null | undefined)?.code === MISSING_RIGHT;
}
