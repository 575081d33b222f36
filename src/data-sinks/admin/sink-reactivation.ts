import { Injectable } from '@nestjs/common';
import type { DataSink } from '../core/data-sink.js';
import { DATA_SINK_EVENTS, type DataSinkReactivated } from '../core/domain-events.js';
import { DataSinkRepository } from '../persistence/data-sink.repository.js';
import { Transactions } from '../persistence/transactions.js';
import { DomainEvents, Wakeup } from '../pipeline/index.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import { AuditTrail } from '../ports/audit-trail.js';
import { auditEntry } from './audit-entry.js';
import type { RequestCaller } from './workspace-access.guard.js';

/** Makes a disabled sink active again and releases what waited for it. */
@Injectable()
export class SinkReactivation {
  constructor(
    private readonly sinks: DataSinkRepository,
    private readonly transactions: Transactions,
    private readonly audit: AuditTrail,
    private readonly events: DomainEvents,
    private readonly wakeup: Wakeup,
  ) {}

  /** After a Test that passed, which ends a pause as well. @returns whether the sink was disabled */
  async byTest(caller: RequestCaller, sink: DataSink): Promise<boolean> {
    if (sink.status !== 'DISABLED') {
      if (await this.sinks.resume(sink)) this.wakeup.notify();
      return false;
    }
    const reactivated = await this.transactions.run(async (transaction) => {
      if (!(await this.sinks.reactivate(sink, transaction))) return false;
      const entry = auditEntry('DATA_SINK_REACTIVATED', caller, sink, { by: 'test' });
      await within(this.audit.record([entry], transaction), PORT_WITHIN_MS, 'the audit trail');
      return true;
    });
    if (reactivated) this.happened(sink, 'test');
    return reactivated;
  }

  /** What follows once it is committed. */
  happened({ workspaceId, agentId, id: dataSourceId }: DataSink, by: DataSinkReactivated['by']): void {
    this.wakeup.notify();
    this.events.emit(DATA_SINK_EVENTS.reactivated, { workspaceId, agentId, dataSourceId, by });
  }
}
