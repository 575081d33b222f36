import { Logger } from '@nestjs/common';
import type { AttemptStatus } from '../core/attempt.js';
import type { Database } from '../persistence/database.js';
import { pauseDownSinks, type PauseRule, resumeSinks } from '../persistence/sink-pausing.js';
import type { Wakeup } from '../wakeup/wakeup.js';
import type { AttemptEnd } from './attempt-recorder.js';

/** What tells of a receiver that is down. One that says no, or that we may not reach, is not. */
const DOWN: ReadonlySet<AttemptStatus> = new Set(['HTTP_5XX', 'TIMEOUT', 'NETWORK_ERROR']);

/**
 * The circuit breaker: while a receiver is clearly down, its fresh deliveries wait, so that none of their retries is
 * spent. Asked only about attempts that failed, or that were answered after others had failed.
 */
export class SinkPauses {
  readonly #logger = new Logger('DataSinks');
  /** Sinks of which failures were counted by this process since they last answered: a delivery does not know of those that came after its claim. */
  readonly #failing = new Set<string>();

  constructor(
    private readonly session: Database,
    private readonly wakeup: Pick<Wakeup, 'notify'>,
    private readonly rule: PauseRule,
  ) {}

  /**
   * @param ends in the order in which they ended
   * A failure here loses nothing: the next attempt of the sink is counted.
   */
  async judge(ends: readonly AttemptEnd[]): Promise<void> {
    const failures = new Map<string, number>();
    const answered = new Set<string>();
    for (const { delivery, closing } of ends) {
      // What failed on our side says nothing of the receiver.
      if (closing.ownFailure) continue;
      const sink = delivery.dataSourceId;
      if (DOWN.has(closing.status)) failures.set(sink, (failures.get(sink) ?? 0) + 1);
      else {
        failures.delete(sink);
        if (this.#failing.has(sink) || (delivery.sink?.failuresInRow ?? 0) > 0) answered.add(sink);
      }
    }
    try {
      if (answered.size > 0) await this.#resume([...answered]);
      if (failures.size > 0) await this.#pause(failures);
    } catch (error) {
      this.#logger.error({ event: 'sink.not_judged', sinks: failures.size + answered.size, error: String(error) });
    }
  }

  async #resume(answered: readonly string[]): Promise<void> {
    const paused = await resumeSinks(this.session, answered);
    for (const sink of answered) this.#failing.delete(sink);
    if (paused) this.wakeup.notify();
  }

  async #pause(failures: ReadonlyMap<string, number>): Promise<void> {
    for (const sink of failures.keys()) this.#failing.add(sink);
    const down = [...failures].map(([dataSourceId, count]) => ({ dataSourceId, failures: count }));
    for (const paused of await pauseDownSinks(this.session, down, this.rule)) {
      this.#logger.warn({ event: 'sink.paused', ...paused, pausedUntil: paused.pausedUntil.toISOString() });
    }
  }
}
