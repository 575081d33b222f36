import { useEffect, useState } from 'preact/hooks';

/** Smaller differences come from the Date header's resolution of one second and network latency. */
const TOLERANCE_MS = 2_000;

let aheadMs = 0;

/** Learns the viewer's clock error from the `Date` header, so that countdowns use the server's clock. */
export function learnServerTime(dateHeader: string | null): void {
  const served = Date.parse(dateHeader ?? '');
  if (Number.isNaN(served)) return;
  const difference = served - Date.now();
  aheadMs = Math.abs(difference) > TOLERANCE_MS ? difference : 0;
}

/** Milliseconds since 1970, by the server's clock. */
export function now(): number {
  return Date.now() + aheadMs;
}

/** The current time, updated periodically. */
export function useNow(everyMs: number): number {
  const [time, setTime] = useState(now());
  useEffect(() => {
    const timer = setInterval(() => setTime(now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return time;
}
