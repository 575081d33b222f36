import { Logger } from '@nestjs/common';
import type { StopSignal } from '../core/cancellation.js';
import { DATA_SINK_EVENTS } from '../core/domain-events.js';
import { failpoint } from '../core/failpoint.js';
import type { Session } from '../persistence/database.js';
import {
  endOverlap,
  listEndedOverlaps,
  markEndingOverlaps,
  type PreviousSecretOfSink,
} from '../persistence/secret-overlaps.js';
import type { Transactions } from '../persistence/transactions.js';
import type { AuditEntry, AuditTrail } from '../ports/audit-trail.js';
import type { SecretVault } from '../ports/secret-vault.js';
import type { DomainEvents } from './domain-events.js';
import { PORT_WITHIN_MS, within } from './within.js';

/** What is left over is found by the next sweep. */
const BATCH = 100;

/**
 * Watches the overlaps of rotated secrets: tells the host once that one ends, and destroys the old secret when it has
 * ended. Neither is what ends it: a secret whose time is over is not signed with, however late this comes.
 */
export class SecretOverlaps {
  readonly #logger = new Logger('DataSinks');

  /** @param noticeMs the host is told so long before an overlap ends */
  constructor(
    private readonly session: Session,
    private readonly transactions: Transactions,
    private readonly vault: Pick<SecretVault, 'destroy'>,
    private readonly audit: Pick<AuditTrail, 'record'>,
    private readonly events: DomainEvents,
    private readonly noticeMs: number,
  ) {}

  /** @throws what the database throws; of a vault or an audit trail that is away it only tells the log */
  async sweep(stop?: StopSignal): Promise<void> {
    for (const { workspaceId, agentId, dataSourceId, expiresAt } of await markEndingOverlaps(
      this.session,
      this.noticeMs,
    )) {
      this.events.emit(DATA_SINK_EVENTS.secretExpiring, { workspaceId, agentId, dataSourceId, expiresAt });
    }
    // Who keeps us waiting for one does so for the next: the rest of the sweep must not wait for all of them.
    const until = performance.now() + PORT_WITHIN_MS;
    for (const ended of await listEndedOverlaps(this.session, BATCH)) {
      if (stop?.aborted || performance.now() >= until) return;
      await this.#destroy(ended);
    }
  }

  /**
   * Destroyed first and taken off its sink afterwards, so that the record never speaks of what has not happened: whoever
   * dies in between leaves a sink whose next sweep destroys once more, which changes nothing, and goes on from there.
   */
  async #destroy(ended: PreviousSecretOfSink): Promise<void> {
    const { dataSourceId, secretId, workspaceId } = ended;
    try {
      await within(this.vault.destroy({ secretId, workspaceId }), PORT_WITHIN_MS, 'the vault');
      failpoint('after-destroyed');
      await this.transactions.run(async (transaction) => {
        if (await endOverlap(transaction, dataSourceId, secretId)) {
          const recorded = this.audit.record([toAuditEntry(ended)], transaction);
          await within(recorded, PORT_WITHIN_MS, 'the audit trail');
        }
      });
    } catch (error) {
      this.#logger.error({ event: 'secret.not_destroyed', secretId, error: String(error) });
    }
  }
}

function toAuditEntry({ workspaceId, agentId, dataSourceId, secretId }: PreviousSecretOfSink): AuditEntry {
  return {
    ...{ action: 'SECRET_DESTROYED', workspaceId, agentId, dataSourceId, deliveryId: null, ip: null },
    actor: { type: 'agent', id: agentId },
    details: { secretId, because: 'overlap_over' },
  };
}
