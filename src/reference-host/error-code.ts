/** Whether an error of Node or the database has this code. Not by class, which differs between realms, as in Jest. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
