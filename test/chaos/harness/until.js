// @ts-check
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a state, with a deadline.
 * @template T
 * @param {string} what
 * @param {number} withinMs
 * @param {() => T | undefined | false | Promise<T | undefined | false>} look gives something when the state is there
 * @returns {Promise<T>}
 */
export async function until(what, withinMs, look) {
  for (const deadline = performance.now() + withinMs; ;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await delay(20);
  }
}
