/** Whether an error of Node's or the database's has this code. Not by class: that differs between realms, as in Jest. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
