import { Injectable } from '@nestjs/common';
import { Database } from '../database/database.js';
import { Audit } from '../database/audit/audit.js';
import { erasePayloadBatch, type RemovedPayloads } from '../payload/payload-expiry.js';
import { PayloadBodies } from '../payload/payload-bodies.js';
import type { Actor } from '../ports/workspace-access.js';

/** Selects the bytes to erase. */
export interface ErasureRequest {
  readonly workspaceId: string;
  /** Only this job. @default all jobs of the workspace */
  readonly jobId?: string;
  /** Who requested it, for the audit trail. @default the host itself */
  readonly actor?: Actor;
}

const HOST: Actor = { type: 'host', id: 'host' };

/** Erases stored payload bytes on demand; each batch and its audit entries are one transaction. */
@Injectable()
export class PayloadErasure {
  constructor(
    private readonly database: Database,
    private readonly audit: Audit,
    private readonly bodies: PayloadBodies,
  ) {}

  async erase({ workspaceId, jobId, actor = HOST }: ErasureRequest): Promise<RemovedPayloads> {
    const total = { payloads: 0, bytes: 0 };
    for (;;) {
      const batch = await this.database.transaction(async (transaction) => {
        const erased = await erasePayloadBatch(transaction, workspaceId, jobId ?? null);
        if (!erased || erased.deliveries.length === 0) return erased;
        const entries = erased.deliveries.map(({ bytes, jobId: ofJob, ...about }) => ({
          ...about,
          ...{ action: 'PAYLOADS_ERASED' as const, workspaceId, actor, ip: null, details: { jobId: ofJob, bytes } },
        }));
        await this.audit.record(entries, transaction);
        return erased;
      });
      // Clears the memory cache of this process; other processes cannot be reached, and evict the bytes soon.
      this.bodies.forgetAll();
      if (!batch) return total;
      total.payloads += batch.payloads;
      total.bytes += batch.bytes;
    }
  }
}
