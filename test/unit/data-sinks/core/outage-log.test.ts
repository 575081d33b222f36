import { expect, it } from '@jest/globals';
import { OutageLog } from '../../../../src/data-sinks/core/outage-log.js';

it('an outage is said once when it begins and once when it is over', () => {
  const lines: unknown[] = [];
  const note = (line: unknown) => void lines.push(line);
  let now = 1_000;
  const log = new OutageLog({ error: note, log: note }, 'worker', () => now);

  log.over();
  expect(lines).toEqual([]);

  for (let i = 0; i < 100; i++) log.report(new Error('connect ECONNREFUSED'));
  expect(lines).toEqual([{ event: 'worker.unavailable', error: 'Error: connect ECONNREFUSED' }]);

  now += 2_500.4;
  log.over();
  log.over();
  expect(lines.slice(1)).toEqual([{ event: 'worker.available_again', afterMs: 2_500 }]);

  log.report(new Error('again'));
  expect(lines).toHaveLength(3);
});
