import { Injectable } from '@nestjs/common';
import type { EventEmitter2 } from '@nestjs/event-emitter';
import { failpoint } from '../tools/failpoint.js';
import type { JobCompleted } from '../domain/job-completed.js';
import { DeliveryRecorder } from './delivery-recorder.js';
import { notRecordedLine } from './no-delivery.js';
import { EventLog } from '../tools/event-log.js';

/** The event's name on the host's EventEmitter2. */
export const JOB_COMPLETED_EVENT = 'JobCompleted';

/**
 * Step 1, for convenience: listens to the host's event. The emitter swallows errors of listeners, and a crash between
 * the host's commit and its emit loses the event. `DataSinks.recordJobCompleted(event, manager)` is reliable; the
 * sweeper finds what was missed.
 */
@Injectable()
export class JobCompletedListener {
  readonly #logger = new EventLog();
  readonly #underWay = new Set<Promise<void>>();

  constructor(private readonly recorder: DeliveryRecorder) {}

  /** @returns a function that stops listening, and resolves when earlier events are recorded */
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
      await this.recorder.record(event);
    } catch (error) {
      const { workspaceId, jobId } = (event as JobCompleted | undefined) ?? {};
      this.#logger.error(notRecordedLine(workspaceId, jobId, String(error)));
    }
  }
}
