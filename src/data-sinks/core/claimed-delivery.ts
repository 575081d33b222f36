import type { DataSink } from './data-sink.js';
import type { DeliveredPayload, Delivery, RetryBudget } from './delivery.js';
import type { JobStats } from './job-completed.js';

/** The body that was made of a job by one recipe, and under which name its bytes are stored. */
export interface StoredPayload extends DeliveredPayload {
  /** `pld_…` */
  readonly bodyId: string;
}

/** A delivery in the hands of a worker, with all that its next attempt needs to know. */
export interface ClaimedDelivery
  extends
    RetryBudget,
    Pick<Delivery, 'id' | 'workspaceId' | 'agentId' | 'dataSourceId' | 'jobId' | 'run' | 'trigger' | 'attemptCount'> {
  /** The name of the recipe of its body (`parseRecipe()`). */
  readonly recipe: string;
  /** The fencing token: whoever writes with another one writes nothing. */
  readonly leaseToken: string;
  /** By the database's clock, which decides; a worker's own may be wrong. */
  readonly claimedAt: Date;
  readonly completedAt: Date;
  readonly stats: JobStats;
  /** As it stands now; null when its row is gone. */
  readonly sink:
    | (Pick<DataSink, 'config' | 'configVersion' | 'status' | 'deletedAt'> & {
        readonly secretId: string;
        /** Attempts that found its receiver down, without an answer in between. */
        readonly failuresInRow: number;
      })
    | null;
  /** Null until the body was made. */
  readonly payload: StoredPayload | null;
}
