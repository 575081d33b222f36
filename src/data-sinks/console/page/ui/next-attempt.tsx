import { useNow } from '../app/clock.js';
import { countdown, exactUtc } from '../text/format.js';

/** Counts down to the next attempt. */
export function NextAttempt({ at }: { at: string }) {
  const nowMs = useNow(1_000);
  const time = new Date(at);
  const left = countdown(time.getTime(), nowMs);
  return (
    <time dateTime={at} title={exactUtc(time)}>
      {left === null ? 'next attempt is due' : `next attempt in ${left}`}
    </time>
  );
}
