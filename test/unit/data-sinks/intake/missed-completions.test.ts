import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { JobCompleted } from '../../../../src/data-sinks/domain/job-completed.js';
import { CompletionRefusedError } from '../../../../src/data-sinks/intake/completion-refused.error.js';
import type { DeliveryRecorder } from '../../../../src/data-sinks/intake/delivery-recorder.js';
import { MissedCompletions } from '../../../../src/data-sinks/intake/missed-completions.js';
import { SPLIT_LIMIT_MS } from '../../../../src/data-sinks/intake/split-failed-batch.js';
import { BoundMappingResults } from '../../../../src/data-sinks/ports/bound/index.js';
import type { MappingResults } from '../../../../src/data-sinks/ports/mapping-results.js';
import { fakeDatabase } from '../../../support/fake-database.js';
import { stub } from '../../../support/stub.js';

const HOUR = 3_600_000;

let warnings: unknown[];
let errors: unknown[];
beforeEach(() => {
  [warnings, errors] = [[], []];
  jest.spyOn(Logger.prototype, 'error').mockImplementation((line: unknown) => void errors.push(line));
  jest.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void warnings.push(line));
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const job = (n: number): JobCompleted => ({
  jobId: `job_${String(n).padStart(4, '0')}`,
  agentId: 'agt_1',
  workspaceId: 'ws_1',
  completedAt: new Date(0),
  stats: { total: 0, matched: 0, unmatched: 0 },
});

/** A host with some completed jobs, of which the database has heard some. */
function world(jobs: readonly JobCompleted[], heard: readonly string[] = [], withList = true) {
  const clock = { ms: 100 * HOUR, away: false, awayFrom: null as string | null, failsAfterMs: 0 };
  /** What the recorder fails with, by job. */
  const failing = new Map<string, Error>();
  const asked: { since: number; after: string | null; limit: number }[] = [];
  const recorded: string[] = [];
  const list = async (since: Date, last: JobCompleted | null, limit: number): Promise<readonly JobCompleted[]> => {
    const after = last && last.jobId;
    asked.push({ since: since.getTime(), after, limit });
    if (clock.away || (after !== null && after === clock.awayFrom)) throw new Error('host away');
    return jobs.filter((one) => after === null || one.jobId > after).slice(0, limit);
  };
  const results = (withList ? { listCompletedSince: list } : {}) as unknown as MappingResults;
  const database = fakeDatabase(() => heard.map((jobId) => ({ workspaceId: 'ws_1', jobId, run: 1 })), {
    now: async () => clock.ms,
  });
  const recorder = {
    recordMissed: async ({ jobId }: JobCompleted) => {
      const failure = failing.get(jobId);
      if (failure && clock.failsAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, clock.failsAfterMs));
      if (failure) throw failure;
      recorded.push(jobId);
      return jobId.endsWith('0') ? 0 : 1;
    },
  } as unknown as DeliveryRecorder;
  return {
    clock,
    failing,
    asked,
    recorded,
    missed: new MissedCompletions(database, results, recorder, stub({ missedCompletionsMs: 24 * HOUR })),
  };
}

describe('the sweep for missed completions', () => {
  it('records those that were never received, and logs each that creates a delivery', async () => {
    const { missed, recorded } = world([job(1), job(2), job(10)], ['job_0002']);
    await missed.recover();
    expect(recorded).toEqual(['job_0001', 'job_0010']);
    expect(warnings).toMatchObject([
      { event: 'completion.recovered', completions: 1, jobIds: ['job_0001'], deliveries: 1 },
    ]);
  });

  it('reads all pages, each after the last job of the previous one', async () => {
    const { missed, asked, recorded } = world(Array.from({ length: 1_001 }, (_, i) => job(i)));
    await missed.recover();
    expect(asked.map(({ after }) => after)).toEqual([null, 'job_0499', 'job_0999']);
    expect(recorded).toHaveLength(1_001);
  });

  it('goes back a day at first, then to ten minutes before the last run', async () => {
    const { missed, clock, asked } = world([]);
    await missed.recover();
    clock.ms += HOUR;
    await missed.recover();
    expect(asked.map(({ since }) => since)).toEqual([76 * HOUR, 100 * HOUR - 600_000]);
  });

  it('repeats the same period after a failure', async () => {
    const { missed, clock, asked } = world([]);
    clock.away = true;
    await expect(missed.recover()).rejects.toThrow('host away');
    clock.away = false;
    clock.ms += HOUR;
    await missed.recover();
    expect(asked.map(({ since }) => since)).toEqual([76 * HOUR, 77 * HOUR]);
  });

  it('fails when the host never answers, so that the sweep can continue', async () => {
    jest.useFakeTimers();
    const host = { listCompletedSince: () => new Promise<never>(() => undefined) } as unknown as MappingResults;
    const results = new BoundMappingResults(host, { answerMs: 1, rowsMs: 1, listMs: 30_000 });
    const missed = new MissedCompletions(
      fakeDatabase(undefined, { now: async () => 0 }),
      results,
      {} as DeliveryRecorder,
      stub({ missedCompletionsMs: HOUR }),
    );
    const looked = expect(missed.recover()).rejects.toThrow('MappingResults.listCompletedSince() did not answer');
    await jest.advanceTimersByTimeAsync(30_000);
    await looked;
  });

  it('skips invalid completions, reports each once, and continues after it', async () => {
    const bad = { ...job(2), stats: { total: 3, matched: 3, unmatched: 1 } };
    const list = [job(1), bad, null as unknown as JobCompleted, { ...job(3), run: Date.now() }, job(4)];
    const { missed, clock, asked, recorded } = world(list);
    await missed.recover();
    expect(recorded).toEqual(['job_0001', 'job_0004']);
    const refused = (jobId: string | undefined, problem: string) => ({
      ...{ event: 'completion.not_recorded', workspaceId: jobId && 'ws_1', jobId },
      error: `JobCompleted: ${problem}`,
    });
    const reports = [
      refused('job_0002', 'stats.matched and stats.unmatched do not add up to stats.total'),
      refused(undefined, 'the event is not an object'),
      refused('job_0003', 'run is not an integer from 1 to 2147483647'),
    ];
    expect(errors).toMatchObject(reports);
    clock.ms += HOUR;
    await missed.recover();
    expect(errors).toMatchObject(reports);
    expect(asked.map(({ since }) => since)).toEqual([76 * HOUR, 100 * HOUR - 600_000]);
  });

  it('distinguishes jobs with the same id in two workspaces', async () => {
    const there = { ...job(1), workspaceId: 'ws_2' };
    const heard = world([job(1), there], ['job_0001']);
    await heard.missed.recover();
    expect(heard.recorded).toEqual(['job_0001']);
    expect(warnings).toMatchObject([{ completions: 1, jobIds: ['job_0001'] }]);

    const refused = world([job(1), there]);
    refused.failing.set('job_0001', new CompletionRefusedError(new Error('too long')));
    await refused.missed.recover();
    expect(errors).toMatchObject([{ workspaceId: 'ws_1' }, { workspaceId: 'ws_2' }]);
  });

  it('ends when the host returns the same page again and again', async () => {
    const page = Array.from({ length: 500 }, (_, i) => job(i));
    const { missed, recorded, asked } = world(page);
    const answer = page.slice.bind(page);
    page.filter = () => answer();
    await missed.recover();
    expect(asked).toHaveLength(2);
    expect(recorded).toHaveLength(1_000);
  });

  it('skips what the database refuses', async () => {
    const { missed, failing, clock, asked, recorded } = world([job(1), job(2), job(3)]);
    failing.set('job_0002', new CompletionRefusedError(new Error('index row size exceeds maximum')));
    await missed.recover();
    expect(recorded).toEqual(['job_0001', 'job_0003']);
    expect(errors).toMatchObject([
      {
        ...{ event: 'completion.not_recorded', workspaceId: 'ws_1', jobId: 'job_0002' },
        error: 'Error: index row size exceeds maximum',
      },
    ]);
    clock.ms += HOUR;
    await missed.recover();
    expect(asked.at(-1)?.since).toBe(100 * HOUR - 600_000);
  });

  it('reports what it skips once, even if a later page fails or times out', async () => {
    jest.useFakeTimers();
    const jobs = Array.from({ length: 1_001 }, (_, i) => job(i));
    const { missed, failing, clock } = world(jobs);
    for (const jobId of ['job_0002', 'job_0700']) failing.set(jobId, new CompletionRefusedError(new Error('too long')));
    clock.awayFrom = 'job_0499';
    for (const _ of [1, 2]) await expect(missed.recover()).rejects.toThrow('host away');
    expect(errors).toMatchObject([{ jobId: 'job_0002' }]);
    clock.awayFrom = null;
    await missed.recover();
    clock.failsAfterMs = SPLIT_LIMIT_MS;
    failing.set('job_0003', new Error('database away'));
    const looked = expect(missed.recover()).rejects.toThrow('database away');
    await jest.advanceTimersByTimeAsync(SPLIT_LIMIT_MS);
    await looked;
    failing.delete('job_0003');
    clock.failsAfterMs = 0;
    await missed.recover();
    expect(errors).toMatchObject([{ jobId: 'job_0002' }, { jobId: 'job_0700' }]);
  });

  it('records the others when one may succeed later, and repeats the period', async () => {
    const { missed, failing, clock, asked, recorded } = world(Array.from({ length: 501 }, (_, i) => job(i)));
    failing.set('job_0002', new Error('database away'));
    failing.set('job_0003', new Error('database away'));
    await expect(missed.recover()).rejects.toThrow('database away');
    expect(recorded).toHaveLength(499);
    expect(errors).toEqual([]);
    clock.ms += HOUR;
    failing.clear();
    await missed.recover();
    expect(asked.map(({ since }) => since)).toEqual([76, 76, 77, 77].map((hours) => hours * HOUR));
    expect(recorded).toContain('job_0002');
  });

  it('stops at the first page that times out, and repeats the period', async () => {
    jest.useFakeTimers();
    const { missed, failing, clock, asked, recorded } = world(Array.from({ length: 1_001 }, (_, i) => job(i)));
    failing.set('job_0502', new Error('the agent directory did not answer'));
    clock.failsAfterMs = SPLIT_LIMIT_MS;
    const looked = expect(missed.recover()).rejects.toThrow('the agent directory did not answer');
    await jest.advanceTimersByTimeAsync(SPLIT_LIMIT_MS);
    await looked;
    expect(asked.map(({ after }) => after)).toEqual([null, 'job_0499']);
    failing.clear();
    await missed.recover();
    expect(asked[2]).toMatchObject({ since: 76 * HOUR, after: null });
    expect(recorded).toContain('job_1000');
  });

  it('is skipped for a host that cannot list completed jobs', async () => {
    const { missed, recorded } = world([job(1)], [], false);
    await missed.recover();
    expect(recorded).toEqual([]);
  });
});
