import { Injectable } from '@nestjs/common';
import { type Delivery, isSettled } from '../domain/delivery.js';
import { ProblemError } from '../domain/errors.js';
import { bringForward, cancelWaiting } from '../delivery/waiting.sql.js';
import type { AuditAction } from '../ports/audit-trail.js';
import type { RequestCaller } from '../ports/workspace-access.js';
import { Audit, byCaller } from '../database/audit/audit.js';
import { Database } from '../database/database.js';
import { Wakeup } from '../queue/wakeup/wakeup.js';
import { SettledDeliveries } from '../settlement/settled-deliveries.js';
import { AgentGatekeeper } from './agent-gatekeeper.js';

/** What can be asked of a delivery that waits: not to wait any longer, or not to be sent. */
@Injectable()
export class WaitingAdmin {
  constructor(
    private readonly gatekeeper: AgentGatekeeper,
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly wakeup: Wakeup,
    private readonly settled: SettledDeliveries,
  ) {}

  /**
   * Ends the wait for the next attempt, and nothing else. One that is due already stays as it is.
   * @throws ProblemError `agent-inactive`, `sink-inactive`, `delivery-not-waiting`
   */
  async retryNow(caller: RequestCaller, delivery: Delivery): Promise<void> {
    await this.gatekeeper.requireActiveOf(delivery);
    await this.database.transaction(async (transaction) => {
      if (!(await bringForward(transaction, delivery))) throw notWaiting(delivery);
      const details = { wasDueAt: delivery.nextAttemptAt };
      await this.#record('RETRY_REQUESTED', caller, delivery, details, transaction);
      transaction.afterCommit(() => this.wakeup.notify());
    });
  }

  /** Ends it `CANCELLED`, `requested`. @throws ProblemError `delivery-not-waiting` */
  async cancel(caller: RequestCaller, delivery: Delivery): Promise<void> {
    const ended = await this.database.transaction(async (transaction) => {
      const cancelled = await cancelWaiting(transaction, delivery);
      if (!cancelled) throw notWaiting(delivery);
      await this.#record('CANCELLATION_REQUESTED', caller, delivery, {}, transaction);
      return cancelled;
    });
    await this.settled.cancelled([{ delivery: ended, reason: 'requested' }]);
  }

  #record(
    action: AuditAction,
    caller: RequestCaller,
    { workspaceId, agentId, dataSourceId, id, jobId, status }: Delivery,
    details: Readonly<Record<string, unknown>>,
    transaction: Database,
  ): Promise<void> {
    const subject = { workspaceId, agentId, id: dataSourceId };
    const entry = byCaller(action, caller, subject, { jobId, previousStatus: status, ...details }, id);
    return this.audit.record(entry, transaction);
  }
}

function notWaiting({ id, status, nextAttemptAt }: Delivery): ProblemError {
  const waitsForParts = (status === 'PENDING' || status === 'RETRYING') && nextAttemptAt === null;
  const detail = isSettled(status)
    ? `This delivery has ended ${status}. To send the same bytes again, redeliver it.`
    : waitsForParts
      ? 'This delivery is the last part of its job and waits for the others, not for a time.'
      : 'This delivery is being sent, or was until now. Read it again.';
  return new ProblemError('delivery-not-waiting', detail, { members: { deliveryId: id } });
}
