import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SHUTDOWN_GRACE_MS } from './http/last-answers.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Time after the grace period to record attempts and to close connections. */
const GIVING_BACK_MS = 10_000;

/**
 * Forces the exit of a process that cannot shut down, e.g. because the database does not respond: unanswered statements
 * hold their connections, and closing the pool waits for them. The sweeper of another process recovers what was in
 * flight.
 */
@Injectable()
export class LastResort implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Host');

  constructor(@Inject(SHUTDOWN_GRACE_MS) private readonly graceMs: number) {}

  onApplicationBootstrap(): void {
    for (const signal of SIGNALS) process.once(signal, this.#arm);
  }

  /** An application closed without a signal, as in tests, has no process to end. */
  onModuleDestroy(): void {
    for (const signal of SIGNALS) process.removeListener(signal, this.#arm);
  }

  readonly #arm = (): void => {
    setTimeout(() => {
      this.#logger.error({ event: 'shutdown.cut_off', afterMs: this.graceMs + GIVING_BACK_MS });
      process.exit(1);
    }, this.graceMs + GIVING_BACK_MS).unref();
  };
}
