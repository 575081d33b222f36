import { Logger } from '@nestjs/common';
import { Cancellation } from '../core/cancellation.js';
import type { CancelReason } from '../core/delivery.js';
import { failpoint } from '../core/failpoint.js';
import { OutageLog } from '../core/outage-log.js';
import { recoveryWindow, toRecoveryReason } from '../core/recovery.js';
import type { Session } from '../persistence/database.js';
import {
  cancelRecovery,
  finishRecovery,
  findUnfinished,
  lockUnfinished,
  redeliverNext,
  type UnfinishedRecovery,
} from '../persistence/recovery-pacing.js';
import type { AuditEntry, AuditTrail } from '../ports/audit-trail.js';
import type { Wakeup } from '../wakeup/wakeup.js';
import type { DeliveryGate } from './delivery-gate.js';
import { PORT_WITHIN_MS, within } from './within.js';

export interface RecoveryPacerOptions {
  /** How often to look. */
  readonly pollMs: number;
  readonly maxInFlightPerSink: number;
}

/**
 * Makes the deliveries of recoveries due, a few at a time. Each step is one transaction and the table says how far it is,
 * so that whoever looks next goes on, in whichever process. A recovery ends with the first thing that the gate would end
 * its deliveries for; that of a disabled sink waits.
 */
export class RecoveryPacer {
  readonly #logger = new Logger('DataSinks');
  readonly #outages = new OutageLog(this.#logger, 'recoveries');
  readonly #stopping = new Cancellation();
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> | null = null;

  constructor(
    private readonly session: Session,
    private readonly gate: Pick<DeliveryGate, 'judge'>,
    private readonly audit: Pick<AuditTrail, 'record'>,
    private readonly wakeup: Pick<Wakeup, 'notify'>,
    private readonly options: RecoveryPacerOptions,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.look(), this.options.pollMs);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#stopping.abort('shutdown');
    await this.#underWay;
  }

  /** One step of every recovery. A look that is under way is not begun a second time. */
  look(): Promise<void> {
    this.#underWay ??= this.#lookOnce().finally(() => (this.#underWay = null));
    return this.#underWay;
  }

  async #lookOnce(): Promise<void> {
    try {
      const unfinished = await findUnfinished(this.session);
      if (unfinished.length > 0) {
        // The host is asked outside of any transaction: it may need the connection that the transaction has.
        const asked = this.gate.judge(unfinished.map((one) => ({ ...one, trigger: 'REDELIVERY' })));
        const verdicts = await within(asked, PORT_WITHIN_MS, 'the gate');
        await this.#stepAll(unfinished, verdicts);
      }
      this.#outages.over();
    } catch (error) {
      if (!this.#stopping.aborted) this.#outages.report(error);
    }
  }

  /** What keeps one recovery from going on keeps no other. */
  async #stepAll(unfinished: readonly UnfinishedRecovery[], verdicts: readonly (CancelReason | null)[]): Promise<void> {
    const failures: unknown[] = [];
    for (const [i, recovery] of unfinished.entries()) {
      if (this.#stopping.aborted) return;
      await this.#step(recovery, verdicts[i] ?? null).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #step(recovery: UnfinishedRecovery, verdict: CancelReason | null): Promise<void> {
    const { id } = recovery;
    const { made, finished } = await this.session.transaction(async (transaction) => {
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
    if (finished) this.#logger.log({ event: 'recovery.finished', recoveryId: id, ...finished });
  }

  async #cancel(recovery: UnfinishedRecovery, verdict: CancelReason, transaction: Session): Promise<void> {
    const reason = toRecoveryReason(verdict);
    await cancelRecovery(transaction, recovery.id, reason);
    const { id: recoveryId, workspaceId, agentId, dataSourceId } = recovery;
    const entry: AuditEntry = {
      ...{ action: 'RECOVERY_CANCELLED', workspaceId, agentId, dataSourceId, deliveryId: null, ip: null },
      actor: { type: 'agent', id: agentId },
      details: { recoveryId, reason },
    };
    // The transaction holds the recovery.
    await within(this.audit.record([entry], transaction), PORT_WITHIN_MS, 'the audit trail');
  }
}
