import { useNow } from '../app/clock.js';
import { exactUtc, fromNow, localTime } from '../text/format.js';

const DAY_MS = 86_400_000;

/** A time in the viewer's zone; the exact time in UTC on hover. */
export function Time({ at }: { at: string }) {
  const time = new Date(at);
  return (
    <time dateTime={at} title={exactUtc(time)}>
      {localTime(time)}
    </time>
  );
}

/** How long ago, while that says more than a date. */
export function Ago({ at }: { at: string }) {
  const nowMs = useNow(10_000);
  const time = new Date(at);
  const text = nowMs - time.getTime() < DAY_MS ? fromNow(time, nowMs) : localTime(time);
  return (
    <time dateTime={at} title={`${localTime(time)} (${exactUtc(time)})`}>
      {text}
    </time>
  );
}
