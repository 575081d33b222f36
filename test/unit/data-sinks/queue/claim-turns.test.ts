import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { ClaimTurns } from '../../../../src/data-sinks/queue/claim-turns.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { ThisWorker } from '../../../../src/data-sinks/queue/this-worker.js';

const LIMITS = {
  batch: 8,
  inFlightPerSink: 8,
  inFlightPerWorkspace: 8,
  leaseMs: 60_000,
  leasePrefix: new ThisWorker().leasePrefix,
};
const round = (lastSink: string) => ({
  ...{ last_sink: lastSink, exhausted: true, capped: true, full_workspaces: ['ws_1'], paced_ms: null },
  ...{ sinks: null, bodies: null, answered_ms: Date.now() },
});

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('a claim that answers when nobody waits any more does not move the round on, nor say what is full', async () => {
  const asked: unknown[] = [];
  let answer: (rows: unknown) => void = () => undefined;
  const answers = [new Promise<unknown>((resolve) => (answer = resolve))];
  const query = async (_sql: string, parameters: unknown[]) => {
    asked.push([parameters[3], parameters[6]]);
    return answers.shift() ?? [round('ads_2')];
  };
  const turns = new ClaimTurns(fakeDatabase(query));
  turns.begin();
  const late = expect(turns.next(LIMITS)).rejects.toMatchObject({ code: 'no_answer' });
  await jest.advanceTimersByTimeAsync(60_000);
  await late;
  answer([round('ads_9')]);
  await jest.advanceTimersByTimeAsync(0);
  await turns.next(LIMITS);
  await turns.next(LIMITS);
  expect(asked).toEqual([
    ['', []],
    ['', []],
    ['ads_2', ['ws_1']],
  ]);
});
