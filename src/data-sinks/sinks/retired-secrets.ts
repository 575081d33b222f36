import { Injectable } from '@nestjs/common';
import type { DataSink } from '../domain/data-sink.js';
import type { Database } from '../database/database.js';
import { endOverlap } from './secret-overlaps.sql.js';
import { SecretVault } from '../ports/secret-vault.js';
import type { RequestCaller } from '../ports/workspace-access.js';
import { Audit, byCaller } from '../database/audit/audit.js';
import { EventLog } from '../tools/event-log.js';

/** Why a secret is no longer in use. */
type RetirementReason = 'rotated' | 'replaced' | 'sink_deleted';

/** Secrets that a caller retired: audited with the change, destroyed after its commit. */
@Injectable()
export class RetiredSecrets {
  readonly #logger = new EventLog();

  constructor(
    private readonly vault: SecretVault,
    private readonly audit: Audit,
  ) {}

  /** Ends a sink's overlap, if there is one. @returns the ids of the secrets to destroy after the commit */
  async endOverlap(
    caller: RequestCaller,
    sink: DataSink,
    because: RetirementReason,
    transaction: Database,
  ): Promise<string[]> {
    const secretId = await endOverlap(transaction, sink);
    if (secretId === null) return [];
    await this.record(caller, sink, [secretId], because, transaction);
    return [secretId];
  }

  /**
   * Retires the sink's secret and, during an overlap, the previous one. @returns the ids to destroy after the commit
   */
  async retireAll(
    caller: RequestCaller,
    sink: DataSink,
    because: RetirementReason,
    transaction: Database,
  ): Promise<string[]> {
    await this.record(caller, sink, [sink.secret.id], because, transaction);
    return [sink.secret.id, ...(await this.endOverlap(caller, sink, because, transaction))];
  }

  async record(
    caller: RequestCaller,
    sink: DataSink,
    secretIds: readonly string[],
    because: RetirementReason,
    transaction: Database,
  ): Promise<void> {
    if (secretIds.length === 0) return;
    const entries = secretIds.map((secretId) => byCaller('SECRET_DESTROYED', caller, sink, { secretId, because }));
    await this.audit.record(entries, transaction);
  }

  /** Runs after the commit, since not every vault can roll back. The sweeper retries what fails. */
  async destroy({ workspaceId }: DataSink, secretIds: readonly string[]): Promise<void> {
    for (const secretId of secretIds) {
      try {
        await this.vault.destroy({ secretId, workspaceId });
      } catch (error) {
        this.#logger.error({
          event: 'secret.not_destroyed',
          message: `the vault did not destroy secret ${secretId}; the sweep tries again`,
          ...{ secretId, error: String(error) },
        });
      }
    }
  }
}
