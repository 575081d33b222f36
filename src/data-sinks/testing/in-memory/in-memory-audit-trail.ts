import { AuditTrail, type AuditEntry } from '../../ports/audit-trail.js';

/** Records entries in order, for a test to read. */
export class InMemoryAuditTrail extends AuditTrail {
  private readonly recorded: AuditEntry[] = [];

  get entries(): readonly AuditEntry[] {
    return [...this.recorded];
  }

  override async record(entries: readonly AuditEntry[]): Promise<void> {
    this.recorded.push(...entries);
  }
}
