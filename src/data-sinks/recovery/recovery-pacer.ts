import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import type { StopSignal } from '../tools/cancellation.js';
import type { CancelReason } from '../domain/delivery.js';
import { failpoint } from '../tools/failpoint.js';
import { recoveryWindow, toRecoveryReason } from '../domain/recovery.js';
import { Database } from '../database/database.js';
import { Audit, byModule } from '../database/audit/audit.js';
import {
  cancelRecovery,
  finishRecovery,
  findUnfinished,
  lockUnfinished,
  redeliverNext,
  type UnfinishedRecovery,
} from './recovery-pacer.sql.js';
import { Wakeup } from '../queue/wakeup/wakeup.js';
import { DeliveryGate } from '../delivery/delivery-gate.js';
import { EventLog } from '../tools/event-log.js';

/**
 * Makes the deliveries of recoveries due, a few at a time. Each step is one transaction and progress is stored in the
 * table, so any process can continue. A recovery is cancelled by the first reason for which the gate would cancel its
 * deliveries; that of a disabled sink waits.
 */
@Injectable()
export class RecoveryPacer {
  readonly #logger = new EventLog();

  constructor(
    private readonly database: Database,
    private readonly gate: DeliveryGate,
    private readonly audit: Audit,
    private readonly wakeup: Wakeup,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /** One step of every recovery. @throws what keeps one of them, or all, from going on */
  async look(stop?: StopSignal): Promise<void> {
    const unfinished = await findUnfinished(this.database);
    if (unfinished.length === 0) return;
    // The host is asked outside of any transaction: it may need the connection that the transaction has.
    const verdicts = await this.gate.judge(unfinished.map((one) => ({ ...one, trigger: 'REDELIVERY' })));
    await this.#stepAll(unfinished, verdicts, stop);
  }

  /** What keeps one recovery from going on keeps no other. */
  async #stepAll(
    unfinished: readonly UnfinishedRecovery[],
    verdicts: readonly (CancelReason | null)[],
    stop?: StopSignal,
  ): Promise<void> {
    const failures: unknown[] = [];
    for (const [i, recovery] of unfinished.entries()) {
      if (stop?.aborted) return;
      await this.#step(recovery, verdicts[i] ?? null).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #step(recovery: UnfinishedRecovery, verdict: CancelReason | null): Promise<void> {
    const { id } = recovery;
    const { made, finished } = await this.database.transaction(async (transaction) => {
      const status = await lockUnfinished(transaction, id);
      if (status === null) return { made: 0, finished: null };
      if (verdict && status === 'RUNNING') await this.#cancel(recovery, verdict, transaction);
      const next = await redeliverNext(transaction, id, recoveryWindow(this.options.maxInFlightPerSink));
      if (next === 0) return { made: 0, finished: await finishRecovery(transaction, id) };
      failpoint('mid-recovery');
      return { made: next, finished: null };
    });
    if (made > 0) {
      failpoint('after-recovered');
      this.wakeup.notify();
    }
    if (finished) {
      this.#logger.log({
        event: 'recovery.finished',
        message: `recovery ${id} has made all of its deliveries due`,
        ...{ recoveryId: id, ...finished },
      });
    }
  }

  async #cancel(recovery: UnfinishedRecovery, verdict: CancelReason, transaction: Database): Promise<void> {
    const reason = toRecoveryReason(verdict);
    await cancelRecovery(transaction, recovery.id, reason);
    // The transaction holds the lock on the recovery.
    await this.audit.record(byModule('RECOVERY_CANCELLED', recovery, { recoveryId: recovery.id, reason }), transaction);
  }
}
