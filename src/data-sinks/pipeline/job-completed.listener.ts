import { Logger } from '@nestjs/common';
import type { EventEmitter2 } from '@nestjs/event-emitter';
import { failpoint } from '../core/failpoint.js';
import type { JobCompleted } from '../core/job-completed.js';
import type { DeliveryRecorder } from './delivery-recorder.js';

/** The event's name on the host's EventEmitter2. */
export const JOB_COMPLETED_EVENT = 'JobCompleted';

/**
 * Step 1, the convenience: hears the host's event. The emitter swallows what a listener throws and a crash between the
 * host's commit and its emit loses the event; certainty is `DataSinks.recordJobCompleted(event, manager)`, and what was
 * missed all the same is found by the sweeper.
 */
export class JobCompletedListener {
  readonly #logger = new Logger('DataSinks');
  readonly #recorder: DeliveryRecorder;
  readonly #underWay = new Set<Promise<void>>();

  constructor(recorder: DeliveryRecorder) {
    this.#recorder = recorder;
  }

  /** @returns a function that stops listening, and resolves when what was heard is on record */
  listen(emitter: EventEmitter2): () => Promise<void> {
    const onCompleted = (event: JobCompleted): void => {
      const hearing = this.#hear(event).finally(() => this.#underWay.delete(hearing));
      this.#underWay.add(hearing);
    };
    emitter.on(JOB_COMPLETED_EVENT, onCompleted);
    return async () => {
      emitter.off(JOB_COMPLETED_EVENT, onCompleted);
      await Promise.all(this.#underWay);
    };
  }

  async #hear(event: JobCompleted): Promise<void> {
    failpoint('after-heard');
    try {
      await this.#recorder.record(event);
    } catch (error) {
      const jobId = (event as JobCompleted | undefined)?.jobId;
      this.#logger.error({ event: 'completion.not_recorded', jobId, error: String(error) });
    }
  }
}
