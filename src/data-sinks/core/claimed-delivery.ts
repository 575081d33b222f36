import type { DataSink } from './data-sink.js';
import type { DeliveredPayload, Delivery, RetryBudget } from './delivery.js';
import type { JobStats } from './job-completed.js';
import type { TraceContext } from './trace-context.js';

/** The body that was made of a job by one recipe, and under which name its bytes are stored. */
export interface StoredPayload extends DeliveredPayload {
  /** `pld_…` */
  readonly bodyId: string;
}

export interface ClaimedSink extends Pick<DataSink, 'config' | 'configVersion' | 'status' | 'deletedAt'> {
  readonly secretId: string;
  readonly previousSecret: PreviousSecret | null;
  /** Attempts that found its receiver down, without an answer in between. */
  readonly failuresInRow: number;
}

/** The secret before, which signs too until its time is over. */
export interface PreviousSecret {
  readonly secretId: string;
  readonly expiresAt: Date;
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
  readonly completedAt: Date;
  readonly stats: JobStats;
  /** As it stands now; null when its row is gone. */
  readonly sink: ClaimedSink | null;
  /** Null until the body was made. */
  readonly payload: StoredPayload | null;
  /** Of the job's completion; null when none is known. */
  readonly traceContext: TraceContext | null;
}
