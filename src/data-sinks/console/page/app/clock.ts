import { useEffect, useState } from 'preact/hooks';

/** Differences below this are the Date header's whole seconds and the way of the answer. */
const TOLERANCE_MS = 2_000;

let aheadMs = 0;

/** Learns from an answer's `Date` header how wrong the viewer's clock is: countdowns go by the server's. */
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

/** The time, again and again. */
export function useNow(everyMs: number): number {
  const [time, setTime] = useState(now());
  useEffect(() => {
    const timer = setInterval(() => setTime(now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return time;
}
