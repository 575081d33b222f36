import { Logger } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import type { DeliveryRecorder } from '../../../../src/data-sinks/intake/delivery-recorder.js';
import { JOB_COMPLETED_EVENT, JobCompletedListener } from '../../../../src/data-sinks/intake/job-completed.listener.js';

afterEach(() => void jest.restoreAllMocks());

function listening(record: (event: unknown) => Promise<number>) {
  const errors: unknown[] = [];
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
  const emitter = new EventEmitter2();
  const stop = new JobCompletedListener({ record } as unknown as DeliveryRecorder).listen(emitter);
  return { emitter, stop, errors };
}

describe('the listener', () => {
  it('records the contract’s event', async () => {
    const heard: unknown[] = [];
    const { emitter } = listening(async (event) => heard.push(event));
    expect(JOB_COMPLETED_EVENT).toBe('JobCompleted');
    emitter.emit(JOB_COMPLETED_EVENT, { jobId: 'job_1' });
    expect(heard).toEqual([{ jobId: 'job_1' }]);
  });

  it('keeps its failure from the host’s emitter, and logs it', async () => {
    const { emitter, errors } = listening(() => Promise.reject(new Error('database away')));
    expect(() => emitter.emit(JOB_COMPLETED_EVENT, { jobId: 'job_1' })).not.toThrow();
    emitter.emit(JOB_COMPLETED_EVENT, undefined);
    await turn();
    expect(errors).toMatchObject([
      { event: 'completion.not_recorded', jobId: 'job_1', error: 'Error: database away' },
      { event: 'completion.not_recorded', jobId: undefined, error: 'Error: database away' },
    ]);
  });

  it('ignores events after it was told to stop', async () => {
    let heard = 0;
    const { emitter, stop } = listening(async () => ++heard);
    await stop();
    emitter.emit(JOB_COMPLETED_EVENT, { jobId: 'job_1' });
    expect(heard).toBe(0);
  });

  it('stops after earlier events are recorded', async () => {
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
