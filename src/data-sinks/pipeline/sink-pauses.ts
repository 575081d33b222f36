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
  /** Sinks of which this process has counted failures since it had an answer: a delivery claimed before knows of none. */
  readonly #failing = new Set<string>();

  constructor(
    private readonly session: Database,
    private readonly wakeup: Pick<Wakeup, 'notify'>,
    private readonly rule: PauseRule,
  ) {}

  /** A failure here loses nothing: the next attempt of the sink is counted. */
  async judge(ends: readonly AttemptEnd[]): Promise<void> {
    const failures = new Map<string, number>();
    const answered = new Set<string>();
    for (const { delivery, closing } of ends) {
      const sink = delivery.dataSourceId;
      if ((delivery.sink?.failuresInRow ?? 0) > 0) this.#failing.add(sink);
      if (DOWN.has(closing.status)) failures.set(sink, (failures.get(sink) ?? 0) + 1);
      else if (closing.status !== 'ABANDONED') answered.add(sink);
    }
    // What ended together has no order: then no failure was the last word.
    for (const sink of answered) failures.delete(sink);
    const resumed = [...answered].filter((sink) => this.#failing.has(sink));
    try {
      if (failures.size > 0) await this.#pause(failures);
      if (resumed.length > 0) await this.#resume(resumed);
    } catch (error) {
      this.#logger.error({ event: 'sink.not_judged', sinks: failures.size + resumed.length, error: String(error) });
    }
  }

  async #resume(sinks: readonly string[]): Promise<void> {
    if (await resumeSinks(this.session, sinks)) this.wakeup.notify();
    for (const sink of sinks) this.#failing.delete(sink);
  }

  async #pause(failures: ReadonlyMap<string, number>): Promise<void> {
    const down = [...failures].map(([dataSourceId, count]) => ({ dataSourceId, failures: count }));
    for (const { dataSourceId } of down) this.#failing.add(dataSourceId);
    for (const paused of await pauseDownSinks(this.session, down, this.rule)) {
      this.#logger.warn({ event: 'sink.paused', ...paused, pausedUntil: paused.pausedUntil.toISOString() });
    }
  }
}
