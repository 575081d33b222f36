import { setMaxListeners } from 'node:events';

import type { CancelSignal } from '../tools/cancellation.js';

/** One timer for all phases of an exchange, restarted for each: cheaper than an `AbortSignal.timeout` per phase. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;

  arm(ms: number, onExpiry: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onExpiry, ms);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/**
 * Calls back when the signal aborts, or in a microtask if it already has. Call the returned function to unsubscribe.
 */
export function onAbort(signal: CancelSignal | undefined, callback: (reason: unknown) => void): () => void {
  if (!signal) return () => undefined;
  if (signal.aborted) {
    queueMicrotask(() => callback(signal.reason));
    return () => undefined;
  }
  const listener = () => callback(signal.reason);
  // All exchanges share the shutdown signal, and Node warns of a leak above ten listeners.
  if (signal instanceof AbortSignal) setMaxListeners(0, signal);
  signal.addEventListener('abort', listener);
  return () => signal.removeEventListener('abort', listener);
}
