import { Logger } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { DeliveryRecorder } from '../../../../src/data-sinks/pipeline/delivery-recorder.js';
import {
  JOB_COMPLETED_EVENT,
  JobCompletedListener,
} from '../../../../src/data-sinks/pipeline/job-completed.listener.js';

afterEach(() => void jest.restoreAllMocks());

function listening(record: (event: unknown) => Promise<number>) {
  const errors: unknown[] = [];
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
  const emitter = new EventEmitter2();
  const stop = new JobCompletedListener({ record } as unknown as DeliveryRecorder).listen(emitter);
  return { emitter, stop, errors };
}

describe('the listener', () => {
  it('hears the event of the contract’s name and records it', async () => {
    const heard: unknown[] = [];
    const { emitter } = listening(async (event) => heard.push(event));
    expect(JOB_COMPLETED_EVENT).toBe('JobCompleted');
    emitter.emit(JOB_COMPLETED_EVENT, { jobId: 'job_1' });
    expect(heard).toEqual([{ jobId: 'job_1' }]);
  });

  it('keeps a failure from the host that emits, and says it in the log', async () => {
    const { emitter, errors } = listening(() => Promise.reject(new Error('database away')));
    expect(() => emitter.emit(JOB_COMPLETED_EVENT, { jobId: 'job_1' })).not.toThrow();
    emitter.emit(JOB_COMPLETED_EVENT, undefined);
    await turn();
    expect(errors).toEqual([
      { event: 'completion.not_recorded', jobId: 'job_1', error: 'Error: database away' },
      { event: 'completion.not_recorded', jobId: undefined, error: 'Error: database away' },
    ]);
  });

  it('hears nothing any more once it was told to stop', async () => {
    let heard = 0;
    const { emitter, stop } = listening(async () => ++heard);
    await stop();
    emitter.emit(JOB_COMPLETED_EVENT, { jobId: 'job_1' });
    expect(heard).toBe(0);
  });

  it('has stopped when what it heard before is on record', async () => {
    let finish = (): void => undefined;
    const { emitter, stop } = listening(() => new Promise((resolve) => (finish = () => resolve(1))));
    emitter.emit(JOB_COMPLETED_EVENT, { jobId: 'job_1' });
    let stopped = false;
    const stopping = stop().then(() => (stopped = true));
    await turn();
    expect(stopped).toBe(false);
    finish();
    expect(await stopping).toBe(true);
  });
});
