import { setMaxListeners } from 'node:events';

import type { CancelSignal } from '../core/cancellation.js';

/** One timer for the phases of an exchange, armed anew for each: cheaper than an `AbortSignal.timeout` per phase. */
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

/** Calls back when the signal aborts, or soon when it has already. The result takes that back. */
export function onAbort(signal: CancelSignal | undefined, callback: (reason: unknown) => void): () => void {
  if (!signal) return () => undefined;
  if (signal.aborted) {
    queueMicrotask(() => callback(signal.reason));
    return () => undefined;
  }
  const listener = () => callback(signal.reason);
  // A pipeline gives all its posts the one signal of its shutdown; Node takes more than ten listeners for a leak.
  if (signal instanceof AbortSignal) setMaxListeners(0, signal);
  signal.addEventListener('abort', listener);
  return () => signal.removeEventListener('abort', listener);
}
