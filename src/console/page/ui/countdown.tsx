import type { ComponentChildren } from 'preact';
import { useNow } from '../app/clock.js';
import { countdown, exactUtc } from '../text/format.js';

interface CountdownParts {
  readonly until: string;
  /** Shown when the time is past. */
  readonly over: string;
  readonly children: (left: string) => ComponentChildren;
}

/** The time left, by the server's clock; the exact time in UTC on hover. */
export function Countdown({ until, over, children }: CountdownParts) {
  const nowMs = useNow(1_000);
  const time = new Date(until);
  const left = countdown(time.getTime(), nowMs);
  return (
    <time dateTime={until} title={exactUtc(time)}>
      {left === null ? over : children(left)}
    </time>
  );
}
