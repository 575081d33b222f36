import { erasePayloadBatch, type RemovedPayloads } from '../payload/payload-expiry.js';
import type { PayloadBodies } from '../payload/payload-bodies.js';
import type { Transactions } from '../persistence/transactions.js';
import type { AuditTrail } from '../ports/audit-trail.js';
import type { Actor } from '../ports/workspace-access.js';
import { PORT_WITHIN_MS, within } from './within.js';

/** Whose bytes are to be erased. */
export interface ErasureRequest {
  readonly workspaceId: string;
  /** Of this job alone. @default all jobs of the workspace */
  readonly jobId?: string;
  /** Who asked for it, for the audit trail. @default the host itself */
  readonly actor?: Actor;
}

const HOST: Actor = { type: 'host', id: 'host' };

/** Erases stored payload bytes on demand; each batch and its audit entries are one transaction. */
export class PayloadErasure {
  constructor(
    private readonly transactions: Transactions,
    private readonly audit: Pick<AuditTrail, 'record'>,
    private readonly bodies: Pick<PayloadBodies, 'forgetAll'>,
  ) {}

  async erase({ workspaceId, jobId, actor = HOST }: ErasureRequest): Promise<RemovedPayloads> {
    const total = { payloads: 0, bytes: 0 };
    for (;;) {
      const batch = await this.transactions.run(async (transaction) => {
        const erased = await erasePayloadBatch(transaction, workspaceId, jobId ?? null);
        if (!erased || erased.deliveries.length === 0) return erased;
        const entries = erased.deliveries.map(({ bytes, jobId: ofJob, ...about }) => ({
          ...about,
          ...{ action: 'PAYLOADS_ERASED' as const, workspaceId, actor, ip: null, details: { jobId: ofJob, bytes } },
        }));
        await within(this.audit.record(entries, transaction), PORT_WITHIN_MS, 'the audit trail');
        return erased;
      });
      // What this process keeps in memory goes too; in others it can no longer be reached, and is soon pushed out.
      this.bodies.forgetAll();
      if (!batch) return total;
      total.payloads += batch.payloads;
      total.bytes += batch.bytes;
    }
  }
}
