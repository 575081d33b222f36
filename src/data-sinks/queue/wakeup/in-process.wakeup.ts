import { Injectable } from '@nestjs/common';
import { Wakeup } from './wakeup.js';

/** setTimeout takes a signed 32-bit number of milliseconds; a longer delay would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Wake-ups for one process: the default without Redis. */
@Injectable()
export class InProcessWakeup extends Wakeup {
  #onWake: (() => void) | null = null;
  #soon = false;
  #timer: NodeJS.Timeout | null = null;
  #timerDueAt = Number.POSITIVE_INFINITY;

  override async start(onWake: () => void): Promise<void> {
    this.#onWake = onWake;
  }

  override notify(): void {
    if (this.#soon) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#onWake?.();
    });
  }

  /** There are no other processes. */
  override notifyOthers(): void {}

  /** Keeps only the earliest time: the worker then finds out what is due next. */
  override notifyIn(milliseconds: number): void {
    const dueAt = performance.now() + milliseconds;
    if (!this.#onWake || dueAt >= this.#timerDueAt) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timerDueAt = dueAt;
    this.#timer = setTimeout(
      () => {
        this.#timerDueAt = Number.POSITIVE_INFINITY;
        this.#onWake?.();
      },
      Math.min(milliseconds, LONGEST_TIMER_MS),
    );
  }

  override async stop(): Promise<void> {
    this.#onWake = null;
    if (this.#timer) clearTimeout(this.#timer);
  }
}
