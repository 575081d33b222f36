import { Injectable } from '@nestjs/common';
import type { JobCompleted } from './domain/job-completed.js';
import type { EntityManager } from 'typeorm';
import { DeliveryRecorder } from './intake/delivery-recorder.js';
import { type ErasureRequest, PayloadErasure } from './settlement/payload-erasure.js';

/** The API for the host. */
@Injectable()
export class DataSinks {
  readonly #recorder: DeliveryRecorder;
  readonly #erasure: PayloadErasure;

  constructor(recorder: DeliveryRecorder, erasure: PayloadErasure) {
    this.#recorder = recorder;
    this.#erasure = erasure;
  }

  /**
   * Creates the deliveries of a completed job: one for each active sink of its agent (one per part for a sink with
   * `maxRowsPerPush`), if the agent is active and its rule `auto_push_on_job_complete` is true. Idempotent per job and
   * run.
   * @param manager the `EntityManager` of the transaction that completes the job, so that both commit together. Without
   *   it, the deliveries are committed when this resolves
   * @returns the number of deliveries created
   * @throws TypeError when the event is invalid
   */
  recordJobCompleted(event: JobCompleted, manager?: EntityManager): Promise<number> {
    return this.#recorder.record(event, manager);
  }

  /**
   * Erases the stored payload bytes of a workspace, or of one of its jobs, with one audit entry (`PAYLOADS_ERASED`) per
   * delivery. Attempts in flight may still send them, and later attempts rebuild the bytes from the host's results:
   * delete those first if nothing may be sent any more.
   * @returns the number of erased payloads and their size in bytes
   */
  erasePayloads(request: ErasureRequest): Promise<{ readonly payloads: number; readonly bytes: number }> {
    return this.#erasure.erase(request);
  }
}
