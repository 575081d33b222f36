/** Which failures a recovery is about; null in `until`: up to the present. */
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

/** As an input of type `datetime-local` has it: in the viewer's zone, to the minute. */
export function toLocalInput(time: Date | null): string {
  if (!time) return '';
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** @returns null for what is no whole time yet */
export function fromLocalInput(text: string): Date | null {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}
