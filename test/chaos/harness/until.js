// @ts-check
import { setTimeout as delay } from 'node:timers/promises';

/** A busy machine takes its time: the deadline is for what never happens. */
export const DEADLINE_MS = 180_000;

/**
 * Waits for a state, with a deadline.
 * @template T
 * @param {string} what
 * @param {() => T | undefined | false | Promise<T | undefined | false>} look gives something when the state is there
 * @param {number} [withinMs]
 * @returns {Promise<T>}
 */
export async function until(what, look, withinMs = DEADLINE_MS) {
  for (const deadline = performance.now() + withinMs; ;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await delay(20);
  }
}
