import { Countdown } from './countdown.js';

/** Countdown to the next attempt. */
export function NextAttempt({ at }: { at: string }) {
  return (
    <Countdown until={at} over="next attempt is due">
      {(left) => `next attempt in ${left}`}
    </Countdown>
  );
}
