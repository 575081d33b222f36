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
/** What a claim answers that has visited one workspace. */
const answer = (workspace: string, { came_round = true, exhausted = true, full_workspaces = [] as string[] } = {}) => ({
  ...{ turns: [[workspace, 'ads_1', '', false]], came_round, exhausted, capped: true, full_workspaces, paced_ms: null },
  ...{ sinks: null, bodies: null, answered_ms: Date.now() },
});

/** The parameters of a claim that say where it begins. */
const positionOf = (parameters: unknown[]) => {
  const [, , , after, , , fullWorkspaces, , places, origin, patience] = parameters;
  return { after, fullWorkspaces, places: JSON.parse(String(places)) as unknown, origin, patience };
};

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('a claim that answers when nobody waits any more does not move the round on, nor say what is full', async () => {
  const asked: unknown[] = [];
  let late: (rows: unknown) => void = () => undefined;
  const answers = [new Promise<unknown>((resolve) => (late = resolve))];
  const query = async (_sql: string, parameters: unknown[]) => {
    asked.push(positionOf(parameters));
    return answers.shift() ?? [answer('ws_2', { full_workspaces: ['ws_1'] })];
  };
  const turns = new ClaimTurns(fakeDatabase(query));
  turns.begin();
  const unanswered = expect(turns.next(LIMITS)).rejects.toMatchObject({ code: 'no_answer' });
  await jest.advanceTimersByTimeAsync(60_000);
  await unanswered;
  late([answer('ws_9', { full_workspaces: ['ws_3'] })]);
  await jest.advanceTimersByTimeAsync(0);
  await turns.next(LIMITS);
  await turns.next(LIMITS);
  const first = { after: '', fullWorkspaces: [], places: {}, origin: '' };
  expect(asked).toMatchObject([
    first,
    first,
    { after: 'ws_2', fullWorkspaces: ['ws_1'], places: { ws_2: ['ads_1', ''] }, origin: 'ws_2' },
  ]);
});

it('a workspace that a whole round did not meet is forgotten', async () => {
  const asked: unknown[] = [];
  const visited = ['ws_1', 'ws_2', 'ws_2'];
  const turns = new ClaimTurns(
    fakeDatabase(async (_sql: string, parameters: unknown[]) => {
      asked.push(Object.keys(positionOf(parameters).places as object));
      return [answer(visited[asked.length - 1] ?? 'ws_2', { came_round: asked.length > 1 })];
    }),
  );
  for (let i = 0; i < 4; i++) await turns.next(LIMITS);
  expect(asked).toEqual([[], ['ws_1'], ['ws_1', 'ws_2'], ['ws_2']]);
});

it('rounds that find nothing look through more sinks in a turn each time, until a new series of claims begins', async () => {
  const asked: unknown[] = [];
  const turns = new ClaimTurns(
    fakeDatabase(async (_sql: string, parameters: unknown[]) => {
      asked.push(positionOf(parameters).patience);
      return [answer('ws_1', { exhausted: false })];
    }),
  );
  for (let i = 0; i < 7; i++) expect(await turns.next(LIMITS)).toMatchObject({ more: 'now' });
  turns.begin();
  await turns.next(LIMITS);
  expect(asked).toEqual([16, 32, 64, 128, 256, 500, 500, 16]);
});
