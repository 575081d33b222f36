import { setTimeout as delay } from 'node:timers/promises';

const DEADLINE_MS = 15_000;
const LOOK_EVERY_MS = 10;

/**
 * Waits until a state is reached. Every wait of the e2e tests is one of these: none sleeps.
 * @param look answers null, undefined or false while it is not
 * @param what is told when the deadline passes
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
