/** RFC 3339 in UTC, with milliseconds only if they are not zero: `2026-05-25T12:34:56Z`. */
export function formatInstant(instant: Date): string {
  return instant.toISOString().replace('.000Z', 'Z');
}
