import { describe, expect, it } from '@jest/globals';
import { Cancellation } from '../../../../src/data-sinks/tools/cancellation.js';

describe('a cancellation', () => {
  it('calls its listeners once, with the first reason', () => {
    const cancellation = new Cancellation();
    const told: string[] = [];
    cancellation.addEventListener('abort', () => told.push('one'));
    const two = () => told.push('two');
    cancellation.addEventListener('abort', two);
    cancellation.removeEventListener('abort', two);
    expect(cancellation.aborted).toBe(false);
    cancellation.throwIfAborted();

    cancellation.abort('shutdown');
    cancellation.abort('another');
    expect([cancellation.aborted, cancellation.reason, told]).toEqual([true, 'shutdown', ['one']]);
    expect(() => cancellation.throwIfAborted()).toThrow('shutdown');
  });

  it('allows a listener to unsubscribe while it is called', () => {
    const cancellation = new Cancellation();
    const told: number[] = [];
    const first = () => {
      told.push(1);
      cancellation.removeEventListener('abort', first);
    };
    cancellation.addEventListener('abort', first);
    cancellation.addEventListener('abort', () => told.push(2));
    cancellation.abort(new Error('lease lost'));
    expect(told).toEqual([1, 2]);
  });
});
