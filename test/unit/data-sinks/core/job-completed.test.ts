import { describe, expect, it } from '@jest/globals';
import { invalidJobCompleted, type JobCompleted } from '../../../../src/data-sinks/core/job-completed.js';

const event: JobCompleted = {
  jobId: 'job_1',
  agentId: 'agt_1',
  workspaceId: 'ws_1',
  completedAt: new Date('2026-05-25T12:34:56Z'),
  stats: { total: 3, matched: 2, unmatched: 1 },
};

describe('a JobCompleted event', () => {
  it.each<[string, unknown]>([
    ['with all it needs', event],
    ['of a second run', { ...event, run: 2 }],
    ['of a job without rows', { ...event, stats: { total: 0, matched: 0, unmatched: 0 } }],
    ['with more than we ask for', { ...event, region: 'eu' }],
  ])('%s is accepted', (_what, given) => {
    expect(invalidJobCompleted(given)).toBeNull();
  });

  it.each<[unknown, string]>([
    [undefined, 'the event is not an object'],
    [null, 'the event is not an object'],
    ['job_1', 'the event is not an object'],
    [{}, 'jobId is not a non-empty string'],
    [{ ...event, jobId: '' }, 'jobId is not a non-empty string'],
    [{ ...event, jobId: 7 }, 'jobId is not a non-empty string'],
    [{ ...event, agentId: undefined }, 'agentId is not a non-empty string'],
    [{ ...event, workspaceId: null }, 'workspaceId is not a non-empty string'],
    [{ ...event, completedAt: '2026-05-25T12:34:56Z' }, 'completedAt is not a valid Date'],
    [{ ...event, completedAt: new Date('never') }, 'completedAt is not a valid Date'],
    [{ ...event, run: 0 }, 'run is not an integer from 1'],
    [{ ...event, run: 1.5 }, 'run is not an integer from 1'],
    [{ ...event, run: '1' }, 'run is not an integer from 1'],
    [{ ...event, run: null }, 'run is not an integer from 1'],
    [{ ...event, stats: undefined }, 'stats is missing'],
    [{ ...event, stats: null }, 'stats is missing'],
    [{ ...event, stats: {} }, 'stats.total is not an integer from 0'],
    [{ ...event, stats: { total: 1, matched: '1', unmatched: 0 } }, 'stats.matched is not an integer from 0'],
    [{ ...event, stats: { total: 1, matched: 2, unmatched: -1 } }, 'stats.unmatched is not an integer from 0'],
    [{ ...event, stats: { total: 1, matched: Number.NaN, unmatched: 0 } }, 'stats.matched is not an integer from 0'],
    [
      { ...event, stats: { total: 4, matched: 2, unmatched: 1 } },
      'stats.matched and stats.unmatched do not add up to stats.total',
    ],
  ])('like %j is refused: %s', (given, problem) => {
    expect(invalidJobCompleted(given)).toBe(problem);
  });
});
