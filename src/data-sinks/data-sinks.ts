import { Injectable } from '@nestjs/common';
import type { JobCompleted } from './core/job-completed.js';
import type { Session } from './persistence/database.js';
import { DeliveryRecorder } from './pipeline/index.js';

/** What the host calls. */
@Injectable()
export class DataSinks {
  readonly #recorder: DeliveryRecorder;

  constructor(recorder: DeliveryRecorder) {
    this.#recorder = recorder;
  }

  /**
   * Makes the deliveries of a completed job: one for each active sink of its agent, when the agent is active and its rule
   * `auto_push_on_job_complete` is true. The same job and run recorded again makes nothing.
   * @param manager the `EntityManager` of the transaction that completes the job: both are committed, or neither is.
   *   Without one the deliveries are committed when this resolves
   * @returns how many deliveries were made
   * @throws TypeError when the event is not a completion
   */
  recordJobCompleted(event: JobCompleted, manager?: Session): Promise<number> {
    return this.#recorder.record(event, manager);
  }
}
