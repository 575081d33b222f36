import type { DataSink } from './data-sink.js';
import type { DeliveredPayload, Delivery, RetryBudget } from './delivery.js';
import type { JobStats } from './job-completed.js';
import type { TraceContext } from './trace-context.js';

/** The body made from a job by one recipe, and the id under which its bytes are stored. */
export interface StoredPayload extends DeliveredPayload {
  /** `pld_…` */
  readonly bodyId: string;
}

export interface ClaimedSink extends Pick<DataSink, 'type' | 'config' | 'configVersion' | 'status' | 'deletedAt'> {
  readonly secretId: string;
  readonly previousSecret: PreviousSecret | null;
  /** Consecutive attempts that found the receiver down. */
  readonly failuresInRow: number;
}

/** The previous secret. It also signs until its overlap ends. */
export interface PreviousSecret {
  readonly secretId: string;
  readonly expiresAt: Date;
}

/** A claimed delivery with everything that its next attempt needs. */
export interface ClaimedDelivery
  extends
    RetryBudget,
    Pick<
      Delivery,
      'id' | 'workspaceId' | 'agentId' | 'dataSourceId' | 'jobId' | 'run' | 'trigger' | 'attemptCount' | 'lastErrorCode'
    > {
  /** The name of the recipe of its body (see `parseRecipe()`). */
  readonly recipe: string;
  /** Fencing token: a write with any other token changes no row. */
  readonly leaseToken: string;
  readonly completedAt: Date;
  readonly stats: JobStats;
  /** The sink's current configuration; null when its row is gone. */
  readonly sink: ClaimedSink | null;
  /** Null until the body has been built. */
  readonly payload: StoredPayload | null;
  /** Leased as it was recorded, and not claimed: its sink is looked at once more when its attempt opens. */
  readonly handedOver: boolean;
  /** Of the job's completion; null when none is known. */
  readonly traceContext: TraceContext | null;
}
