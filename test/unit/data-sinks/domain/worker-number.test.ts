import { describe, expect, it } from '@jest/globals';
import { WORKER_NUMBERS, workerNumber } from '../../../../src/data-sinks/domain/worker-number.js';

const POD = 'push-worker-7f9c4d5b6-x2x4q';

describe('the number of a worker', () => {
  it.each([
    ['a host name and a process id', `${POD}:4242`],
    ['a name of one letter', 'w'],
    ['a name beyond ASCII', 'travailleur-é-日本'],
  ])('of %s is an integer in its range', (_, id) => {
    const number = workerNumber(id);
    expect(Number.isSafeInteger(number)).toBe(true);
    expect(number).toBeGreaterThanOrEqual(1);
    expect(number).toBeLessThanOrEqual(WORKER_NUMBERS);
  });

  it('stays the same for an id in later versions, since old attempts are read with it', () => {
    expect(workerNumber(`${POD}:4242`)).toBe(workerNumber(`${POD}:4242`));
    expect(workerNumber('worker-1')).toBe(713_095);
  });

  it('differs between processes of one machine', () => {
    const numbers = new Set(Array.from({ length: 64 }, (_, pid) => workerNumber(`${POD}:${pid + 1}`)));
    expect(numbers.size).toBe(64);
  });
});
