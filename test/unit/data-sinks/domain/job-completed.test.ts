import { describe, expect, it } from '@jest/globals';
import { invalidJobCompleted, type JobCompleted } from '../../../../src/data-sinks/domain/job-completed.js';

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
    ['of the last run that there is', { ...event, run: 2_147_483_647 }],
    ['of more rows than anybody has', { ...event, stats: { total: 2 ** 53 - 1, matched: 2 ** 53 - 1, unmatched: 0 } }],
    ['with ids beyond ASCII', { ...event, jobId: 'job_ü_😀' }],
    ['of the first day', { ...event, completedAt: new Date('0001-01-01T00:00:00Z') }],
    ['of the last', { ...event, completedAt: new Date('9999-12-31T23:59:59.999Z') }],
  ])('%s is accepted', (_what, given) => {
    expect(invalidJobCompleted(given)).toBeNull();
  });

  it.each<[unknown, string]>([
    [undefined, 'the event is not an object'],
    [null, 'the event is not an object'],
    ['job_1', 'the event is not an object'],
    [{}, 'jobId must be a string of 1 to 255 characters'],
    [{ ...event, jobId: '' }, 'jobId must be a string of 1 to 255 characters'],
    [{ ...event, jobId: 7 }, 'jobId must be a string of 1 to 255 characters'],
    [{ ...event, agentId: undefined }, 'agentId must be a string of 1 to 255 characters'],
    [{ ...event, workspaceId: null }, 'workspaceId must be a string of 1 to 255 characters'],
    [{ ...event, completedAt: '2026-05-25T12:34:56Z' }, 'completedAt is not a valid Date'],
    [{ ...event, completedAt: new Date('never') }, 'completedAt is not a valid Date'],
    [{ ...event, jobId: 'job_\0' }, 'jobId must not contain NUL or an unpaired surrogate'],
    [{ ...event, agentId: '\ud83d' }, 'agentId must not contain NUL or an unpaired surrogate'],
    [{ ...event, workspaceId: 'ws_\ude00x' }, 'workspaceId must not contain NUL or an unpaired surrogate'],
    [{ ...event, completedAt: new Date('0000-12-31T23:59:59.999Z') }, 'completedAt is not a valid Date'],
    [{ ...event, completedAt: new Date(8.64e15) }, 'completedAt is not a valid Date'],
    ...[0, 1.5, '1', null, 2_147_483_648, 1_779_712_496_789].map((run): [unknown, string] => [
      { ...event, run },
      'run is not an integer from 1 to 2147483647',
    ]),
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
