import { Injectable } from '@nestjs/common';
import type { JobCompleted } from './core/job-completed.js';
import type { Session } from './persistence/database.js';
import { DeliveryRecorder, type ErasureRequest, PayloadErasure } from './pipeline/index.js';

/** What the host calls. */
@Injectable()
export class DataSinks {
  readonly #recorder: DeliveryRecorder;
  readonly #erasure: PayloadErasure;

  constructor(recorder: DeliveryRecorder, erasure: PayloadErasure) {
    this.#recorder = recorder;
    this.#erasure = erasure;
  }

  /**
   * Makes the deliveries of a completed job: one for each active sink of its agent (one per part, for a sink with
   * `maxRowsPerPush`), when the agent is active and its rule
   * `auto_push_on_job_complete` is true. The same job and run recorded again makes nothing.
   * @param manager the `EntityManager` of the transaction that completes the job: both are committed, or neither is.
   *   Without one the deliveries are committed when this resolves
   * @returns how many deliveries were made
   * @throws TypeError when the event is not a completion
   */
  recordJobCompleted(event: JobCompleted, manager?: Session): Promise<number> {
    return this.#recorder.record(event, manager);
  }

  /**
   * Erases the stored bytes of a workspace's payloads, or of one of its jobs, with one audit entry (`PAYLOADS_ERASED`) per
   * delivery. What is under way may still leave; whatever is sent later is made again from the host's results, so those
   * go first when nothing of them may be sent any more.
   * @returns how many payloads were erased, and how many bytes they had
   */
  erasePayloads(request: ErasureRequest): Promise<{ readonly payloads: number; readonly bytes: number }> {
    return this.#erasure.erase(request);
  }
}
