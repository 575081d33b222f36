import { Inject, Injectable } from '@nestjs/common';
import type { ResolvedDataSinksOptions } from '../data-sinks.options.js';
import { OPTIONS } from '../data-sinks.tokens.js';
import type { StopSignal } from '../tools/cancellation.js';
import { DATA_SINK_EVENTS } from '../domain/domain-events.js';
import { failpoint } from '../tools/failpoint.js';
import { Database } from '../database/database.js';
import { Audit, byModule } from '../database/audit/audit.js';
import { endOverlap, listEndedOverlaps, markEndingOverlaps, type PreviousSecretOfSink } from './secret-overlaps.sql.js';
import { SecretVault } from '../ports/secret-vault.js';
import { EventPublisher } from '../settlement/event-publisher.js';
import { EventLog } from '../tools/event-log.js';

/** Overlaps processed per sweep; the next sweep handles the rest. */
const BATCH = 100;

/** Stop after this time: a vault that is slow for one secret is slow for the next, and the sweep has other work. */
const DESTROYING_MS = 10_000;

/**
 * Announces to the host once that a rotated secret's overlap ends soon, and destroys the secret after it has ended.
 * Signing does not depend on this: an expired secret is not used, however late the sweep runs.
 */
@Injectable()
export class SecretOverlaps {
  readonly #logger = new EventLog();

  constructor(
    private readonly database: Database,
    private readonly vault: SecretVault,
    private readonly audit: Audit,
    private readonly events: EventPublisher,
    @Inject(OPTIONS) private readonly options: ResolvedDataSinksOptions,
  ) {}

  /** @throws when the database fails. An unavailable vault or audit trail is only logged */
  async sweep(stop?: StopSignal): Promise<void> {
    for (const { workspaceId, agentId, dataSourceId, expiresAt } of await markEndingOverlaps(
      this.database,
      this.options.secretExpiringNoticeMs,
    )) {
      this.events.emit(DATA_SINK_EVENTS.secretExpiring, { workspaceId, agentId, dataSourceId, expiresAt });
    }
    const until = performance.now() + DESTROYING_MS;
    for (const ended of await listEndedOverlaps(this.database, BATCH)) {
      if (stop?.aborted || performance.now() >= until) return;
      await this.#destroy(ended);
    }
  }

  /**
   * Destroys the secret first and removes it from its sink afterwards, so that the audit trail never records a
   * destruction that did not happen. If the process dies in between, the next sweep repeats the (idempotent)
   * destruction.
   */
  async #destroy(ended: PreviousSecretOfSink): Promise<void> {
    const { dataSourceId, secretId, workspaceId } = ended;
    try {
      await this.vault.destroy({ secretId, workspaceId });
      failpoint('after-destroyed');
      await this.database.transaction(async (transaction) => {
        if (await endOverlap(transaction, { workspaceId, id: dataSourceId }, secretId)) {
          await this.audit.record(
            byModule('SECRET_DESTROYED', ended, { secretId, because: 'overlap_over' }),
            transaction,
          );
        }
      });
    } catch (error) {
      this.#logger.error({
        event: 'secret.not_destroyed',
        message: `the vault did not destroy secret ${secretId}; the sweep tries again`,
        ...{ secretId, error: String(error) },
      });
    }
  }
}
