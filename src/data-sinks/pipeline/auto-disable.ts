import { Logger } from '@nestjs/common';
import { DATA_SINK_EVENTS } from '../core/domain-events.js';
import type { Database } from '../persistence/database.js';
import { disableFailing, type DisabledSink, type DisablingRule, type FailedSink } from '../persistence/disabling.js';
import type { AuditEntry, AuditTrail } from '../ports/audit-trail.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { DomainEvents } from './domain-events.js';
import { PORT_WITHIN_MS, within } from './within.js';

/** Disables sinks whose deliveries fail again and again. Asked only when something failed; what waits is kept. */
export class AutoDisable {
  readonly #logger = new Logger('DataSinks');

  constructor(
    private readonly session: Database,
    private readonly audit: Pick<AuditTrail, 'record'>,
    private readonly events: DomainEvents,
    private readonly telemetry: Pick<Telemetry, 'sinkDisabled'>,
    private readonly rule: DisablingRule,
  ) {}

  /** A failure here undoes nothing: the next failed delivery asks again. */
  async judge(failed: readonly FailedSink[]): Promise<void> {
    if (failed.length === 0) return;
    try {
      const disabled = await disableFailing(this.session, failed, this.rule);
      if (disabled.length === 0) return;
      for (const sink of disabled) {
        this.#logger.warn({ event: 'sink.disabled', ...sink });
        this.telemetry.sinkDisabled(sink.reason);
        this.events.emit(DATA_SINK_EVENTS.disabled, sink);
      }
      await within(this.audit.record(disabled.map(toAuditEntry)), PORT_WITHIN_MS, 'the audit trail');
    } catch (error) {
      this.#logger.error({ event: 'sink.not_judged', sinks: failed.length, error: String(error) });
    }
  }
}

function toAuditEntry({ workspaceId, agentId, dataSourceId, reason, failedDeliveries }: DisabledSink): AuditEntry {
  return {
    ...{ action: 'DATA_SINK_DISABLED', workspaceId, agentId, dataSourceId, deliveryId: null, ip: null },
    actor: { type: 'agent', id: agentId },
    details: { reason, failedDeliveries },
  };
}
