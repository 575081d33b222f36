import { within } from '../tools/within.js';

/** A question that was left without an answer for so long is asked once more, on another connection. */
const ASK_AGAIN_AFTER_MS = 60_000;

/**
 * A question to the database whose asker waits for a bounded time only. A network that drops bytes, or a server that
 * was stopped, refuses nothing: the statement waits, for minutes, until the system gives the connection up. Whoever
 * asks meanwhile waits for the answer to the same question, since each one more would take one more connection.
 */
export class BoundedQuestion<T> {
  #open: { readonly answer: Promise<T>; readonly askedAtMs: number } | null = null;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly limitMs = 3_000,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** @throws NoAnswerError after the limit, or whatever the question failed of */
  answer(): Promise<T> {
    return within(this.#asked(), this.limitMs, 'the database');
  }

  #asked(): Promise<T> {
    if (this.#open && this.nowMs() - this.#open.askedAtMs < ASK_AGAIN_AFTER_MS) return this.#open.answer;
    const asked = { answer: this.ask(), askedAtMs: this.nowMs() };
    const forget = (): void => {
      if (this.#open === asked) this.#open = null;
    };
    this.#open = asked;
    asked.answer.then(forget, forget);
    return asked.answer;
  }
}
