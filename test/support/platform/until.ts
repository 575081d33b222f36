import { setTimeout as delay } from 'node:timers/promises';

/** A busy machine is slow: the deadline is for what never happens. */
const DEADLINE_MS = 120_000;
const LOOK_EVERY_MS = 10;

/**
 * Polls until a state is reached. Every wait of the e2e tests uses this; none sleeps.
 * @param look returns null, undefined or false until then
 * @param what shown when the deadline passes
 */
export async function until<T>(
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  what: string,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`in ${deadlineMs} ms it did not come to pass that ${what}`);
    await delay(LOOK_EVERY_MS);
  }
}
