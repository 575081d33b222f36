import type { AuditEntry, AuditTrail } from '../audit-trail.js';
import type { OpenTransaction } from '../open-transaction.js';
import { callPort } from './call-port.js';

/** The audit trail with a time limit: a call that hangs inside a transaction would hold its locks. */
export class BoundAuditTrail implements AuditTrail {
  constructor(
    private readonly host: AuditTrail,
    private readonly limitMs: number,
  ) {}

  /** @throws NoAnswerError, whatever the host throws */
  async record(entries: readonly AuditEntry[], transaction?: OpenTransaction): Promise<void> {
    await callPort('AuditTrail.record()', this.limitMs, () => this.host.record(entries, transaction));
  }
}
