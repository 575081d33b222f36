import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SHUTDOWN_GRACE_MS } from './http/last-answers.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** After the grace: to write down what came of the attempts, and to give everything back. */
const GIVING_BACK_MS = 10_000;

/**
 * Ends a process that was told to stop and cannot, as while the database is silent: statements that are never answered
 * keep their connections, and the pool waits for them. What was in flight is found by the sweeper of another process.
 */
@Injectable()
export class LastResort implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger('Host');

  constructor(@Inject(SHUTDOWN_GRACE_MS) private readonly graceMs: number) {}

  onApplicationBootstrap(): void {
    for (const signal of SIGNALS) process.once(signal, this.#arm);
  }

  /** An application that is closed without a signal, as in tests, has no process to end. */
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
