import { Injectable, Logger } from '@nestjs/common';
import type { DataSink } from '../core/data-sink.js';
import type { Session } from '../persistence/database.js';
import { endOverlap } from '../persistence/secret-overlaps.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import { AuditTrail } from '../ports/audit-trail.js';
import { SecretVault } from '../ports/secret-vault.js';
import { auditEntry } from './audit-entry.js';
import type { RequestCaller } from './workspace-access.guard.js';

/** Why a secret is in force no more. */
type RetirementReason = 'rotated' | 'replaced' | 'sink_deleted';

/** What becomes of secrets that a caller took out of force: on record with the change, destroyed once it is committed. */
@Injectable()
export class RetiredSecrets {
  readonly #logger = new Logger('DataSinks');

  constructor(
    private readonly vault: SecretVault,
    private readonly audit: AuditTrail,
  ) {}

  /** Ends the overlap of a sink, if one lasts. @returns the ids of what to destroy after the commit */
  async endOverlap(
    caller: RequestCaller,
    sink: DataSink,
    because: RetirementReason,
    transaction: Session,
  ): Promise<string[]> {
    const secretId = await endOverlap(transaction, sink.id);
    if (secretId === null) return [];
    await this.record(caller, sink, [secretId], because, transaction);
    return [secretId];
  }

  /** The sink's secret, and the one before it if that is still in force. @returns the ids of what to destroy after the commit */
  async retireAll(
    caller: RequestCaller,
    sink: DataSink,
    because: RetirementReason,
    transaction: Session,
  ): Promise<string[]> {
    await this.record(caller, sink, [sink.secret.id], because, transaction);
    return [sink.secret.id, ...(await this.endOverlap(caller, sink, because, transaction))];
  }

  async record(
    caller: RequestCaller,
    sink: DataSink,
    secretIds: readonly string[],
    because: RetirementReason,
    transaction: Session,
  ): Promise<void> {
    if (secretIds.length === 0) return;
    const entries = secretIds.map((secretId) => auditEntry('SECRET_DESTROYED', caller, sink, { secretId, because }));
    await within(this.audit.record(entries, transaction), PORT_WITHIN_MS, 'the audit trail');
  }

  /** After the commit, since not every vault can undo it. What fails now is destroyed by the sweeper. */
  async destroy({ workspaceId }: DataSink, secretIds: readonly string[]): Promise<void> {
    for (const secretId of secretIds) {
      try {
        await within(this.vault.destroy({ secretId, workspaceId }), PORT_WITHIN_MS, 'the vault');
      } catch (error) {
        this.#logger.error({ event: 'secret.not_destroyed', secretId, error: String(error) });
      }
    }
  }
}
