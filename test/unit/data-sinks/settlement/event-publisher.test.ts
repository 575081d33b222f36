import { Logger } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { DataSinkReactivated } from '../../../../src/data-sinks/domain/domain-events.js';
import { EventPublisher } from '../../../../src/data-sinks/settlement/event-publisher.js';

const EVENT: DataSinkReactivated = { workspaceId: 'ws_1', agentId: 'agt_1', dataSourceId: 'ads_1', by: 'test' };
const NAME = 'DataSinkReactivated';

let errors: unknown[];
beforeEach(() => {
  errors = [];
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
});
afterEach(() => void jest.restoreAllMocks());

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('domain events', () => {
  it('reach the host’s listeners unchanged', () => {
    const emitter = new EventEmitter2();
    const heard: unknown[] = [];
    emitter.on(NAME, (event) => void heard.push(event));
    new EventPublisher(emitter).emit(NAME, EVENT);
    expect(heard).toEqual([EVENT]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('of the host');
      },
    ],
    ['rejects', () => Promise.reject(new Error('of the host'))],
  ] as const)('are harmed by no listener that %s', async (_how, listener) => {
    const emitter = new EventEmitter2();
    emitter.on(NAME, listener as () => void);
    expect(() => new EventPublisher(emitter).emit(NAME, EVENT)).not.toThrow();
    await settled();
    expect(errors).toMatchObject([{ event: 'listener.failed', name: NAME, error: 'Error: of the host' }]);
  });

  it('cannot be modified by a listener', () => {
    const emitter = new EventEmitter2();
    const frozen: boolean[] = [];
    emitter.on(NAME, (event: object) => void frozen.push(Object.isFrozen(event)));
    new EventPublisher(emitter).emit(NAME, EVENT);
    expect([frozen, Object.isFrozen(EVENT)]).toEqual([[true], false]);
  });

  it('are not emitted in a host without an emitter', () => {
    expect(() => new EventPublisher().emit(NAME, EVENT)).not.toThrow();
  });
});
