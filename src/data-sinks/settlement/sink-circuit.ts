import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import { Database } from '../database/database.js';
import { closeCircuitOf, closeCircuits, openCircuits, type PauseRule, reactivateSink } from './sink-circuit.sql.js';
import { Wakeup } from '../queue/wakeup/wakeup.js';
import type { AttemptEnd } from '../domain/attempt-end.js';
import type { DataSink } from '../domain/data-sink.js';
import { DATA_SINK_EVENTS, type DataSinkReactivated } from '../domain/domain-events.js';
import { Audit, byCaller, byModule } from '../database/audit/audit.js';
import type { RequestCaller } from '../ports/workspace-access.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { disableFailing, type DisablingRule, type FailedDelivery } from './auto-disable.sql.js';
import { EventLog } from '../tools/event-log.js';
import { EventPublisher } from './event-publisher.js';

/** HTTP 410: the receiver does not come back. */
const GONE = 410;

/**
 * The circuit breaker of each sink.
 *
 * | state | means | leaves it for |
 * |---|---|---|
 * | closed | deliveries are sent | open, after `pauseAfter` failures in a row of a receiver that is down |
 * | open | fresh deliveries wait, so that none of their retries is spent | half-open, when the pause is over |
 * | half-open | the claim lets one delivery through at a time | closed, when it is answered; open, twice as long, when not |
 * | disabled | waiting deliveries are kept | closed, when a Test passes or the owner reactivates it |
 *
 * From any state, a sink is disabled after `disableAfter` failed deliveries in a row, the first at least `disableAfterMs`
 * ago, or after a 410. This is checked when a delivery fails, not periodically, so an idle sink still gets its next
 * delivery. The state is in the sink's row (`status`, `failures_in_row`, `paused_until`), shared by all processes.
 */
@Injectable()
export class SinkCircuit {
  readonly #log = new EventLog();
  readonly #pauseRule: PauseRule;
  readonly #disablingRule: DisablingRule;
  /** Sinks whose failures this process has counted since their last answer: a claimed delivery does not show later ones. */
  readonly #failing = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly wakeup: Wakeup,
    private readonly audit: Audit,
    private readonly events: EventPublisher,
    private readonly telemetry: Telemetry,
    @Inject(OPTIONS) options: ResolvedDataSinksOptions,
  ) {
    const { pauseAfter, pauseMs, longestPauseMs, disableAfter, disableAfterMs, attemptRetentionMs } = options;
    this.#pauseRule = { failures: pauseAfter, pauseMs, longestMs: longestPauseMs };
    this.#disablingRule = { failures: disableAfter, afterMs: disableAfterMs, attemptRetentionMs };
  }

  /**
   * Opens and closes circuits. A failure here loses nothing: the next attempt of the sink is counted.
   * @param ends in the order in which they ended
   */
  async judge(ends: readonly AttemptEnd[]): Promise<void> {
    const failures = new Map<string, number>();
    const answered = new Set<string>();
    for (const { delivery, closing } of ends) {
      // What costs no retry, on our side or for a connection that had ended, says nothing of the receiver.
      if (closing.plan.status === 'RETRYING' && !closing.plan.spendsRetry) continue;
      const sink = delivery.dataSourceId;
      if (closing.receiverDown) failures.set(sink, (failures.get(sink) ?? 0) + 1);
      else {
        failures.delete(sink);
        if (this.#failing.has(sink) || (delivery.sink?.failuresInRow ?? 0) > 0) answered.add(sink);
      }
    }
    try {
      if (answered.size > 0) await this.#close([...answered]);
      if (failures.size > 0) await this.#open(failures);
    } catch (error) {
      const sinks = failures.size + answered.size;
      this.#log.error({
        event: 'sink.not_judged',
        message: `the circuit breakers of ${sinks} data sinks could not be set; their next attempts do it`,
        ...{ sinks, error: String(error) },
      });
    }
  }

  async #close(answered: readonly string[]): Promise<void> {
    const paused = await closeCircuits(this.database, answered);
    for (const sink of answered) this.#failing.delete(sink);
    if (paused) this.wakeup.notify();
  }

  async #open(failures: ReadonlyMap<string, number>): Promise<void> {
    for (const sink of failures.keys()) this.#failing.add(sink);
    const down = [...failures].map(([dataSourceId, count]) => ({ dataSourceId, failures: count }));
    for (const paused of await openCircuits(this.database, down, this.#pauseRule)) {
      const pausedUntil = paused.pausedUntil.toISOString();
      this.#log.warn({
        event: 'sink.paused',
        message: `the receiver of data sink ${paused.dataSourceId} is down; its fresh deliveries wait until ${pausedUntil}`,
        ...{ ...paused, pausedUntil },
      });
    }
  }

  /** Disables the sinks that have failed often enough. If this fails, the next failed delivery triggers it again. */
  async disable(failed: readonly AttemptEnd[]): Promise<void> {
    if (failed.length === 0) return;
    try {
      const disabled = await disableFailing(this.database, failed.map(toFailedDelivery), this.#disablingRule);
      for (const { type, ...sink } of disabled) {
        this.#log.warn({
          event: 'sink.disabled',
          message: `data sink ${sink.dataSourceId} was disabled: ${sink.reason}`,
          ...sink,
          type,
        });
        this.telemetry.sinkDisabled(sink.reason, type);
        this.events.emit(DATA_SINK_EVENTS.disabled, sink);
      }
      await this.audit.record(
        disabled.map(({ reason, failedDeliveries, type: _type, ...sink }) =>
          byModule('DATA_SINK_DISABLED', sink, { reason, failedDeliveries }),
        ),
      );
    } catch (error) {
      const sinks = new Set(failed.map(({ delivery }) => delivery.dataSourceId)).size;
      this.#log.error({
        event: 'sink.not_judged',
        message: `whether ${sinks} data sinks are to be disabled could not be found out; their next failures tell`,
        ...{ sinks, error: String(error) },
      });
    }
  }

  /** Reactivates the sink, or closes its circuit, after a passed Test. @returns whether it was disabled */
  async passedTest(caller: RequestCaller, sink: DataSink): Promise<boolean> {
    if (sink.status !== 'DISABLED') {
      if (await closeCircuitOf(this.database, sink)) this.wakeup.notify();
      return false;
    }
    const reactivated = await this.database.transaction(async (transaction) => {
      if (!(await reactivateSink(transaction, sink))) return false;
      await this.audit.record(byCaller('DATA_SINK_REACTIVATED', caller, sink, { by: 'test' }), transaction);
      return true;
    });
    if (reactivated) this.reactivated(sink, 'test');
    return reactivated;
  }

  /** Wakes the workers and publishes the event, after a reactivation is committed. */
  reactivated({ workspaceId, agentId, id: dataSourceId }: DataSink, by: DataSinkReactivated['by']): void {
    this.wakeup.notify();
    this.events.emit(DATA_SINK_EVENTS.reactivated, { workspaceId, agentId, dataSourceId, by });
  }
}

function toFailedDelivery({ delivery, closing }: AttemptEnd): FailedDelivery {
  return { deliveryId: delivery.id, dataSourceId: delivery.dataSourceId, gone: closing.httpStatus === GONE };
}
