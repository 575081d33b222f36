/** The period of a recovery; null in `until` means up to now. */
export interface RecoverSpan {
  readonly since: Date;
  readonly until: Date | null;
}

const HOUR_MS = 3_600_000;

export const RECENT = [
  { text: 'Last hour', ms: HOUR_MS },
  { text: '24 hours', ms: 24 * HOUR_MS },
  { text: '7 days', ms: 7 * 24 * HOUR_MS },
] as const;

/** Formatted for an input of type `datetime-local`: local time zone, minutes. */
export function toLocalInput(time: Date | null): string {
  if (!time) return '';
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** @returns null for an incomplete time */
export function fromLocalInput(text: string): Date | null {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}
