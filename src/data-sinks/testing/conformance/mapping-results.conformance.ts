import assert from 'node:assert/strict';
import {
  invalidJobCompleted,
  type JobCompleted,
  type JobKey,
  type MappingResultRow,
} from '../../core/job-completed.js';
import type { MappingResults } from '../../ports/mapping-results.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

export interface MappingResultsFixture {
  readonly results: MappingResults;
  /**
   * Finished jobs with all their rows in order: at least three, completed at different times, oldest first, and one of
   * them with so many rows that they come in more than one batch.
   */
  readonly jobs: readonly { readonly job: JobCompleted; readonly rows: readonly MappingResultRow[] }[];
  /** A workspace that owns none of the jobs. */
  readonly otherWorkspaceId: string;
  /** The id of a job that does not exist. */
  readonly unknownJobId: string;
  /** A job that exists and has not finished; null where the host keeps none. */
  readonly unfinished: { readonly workspaceId: string; readonly jobId: string } | null;
}

/** What a host's `MappingResults` has to keep. */
export function mappingResultsConformance(makeFixture: Make<MappingResultsFixture>): readonly ConformanceCheck[] {
  return [
    ...checksOf(makeFixture, {
      'is given three finished jobs, one of them in several batches': async ({ results, jobs }) => {
        assert.ok(jobs.length >= 3);
        const batchCounts = await Promise.all(jobs.map(async ({ job }) => (await batchesOf(results, job)).length));
        assert.ok(Math.max(...batchCounts) >= 2);
      },
      'finds every finished job in its workspace': async ({ results, jobs }) => {
        for (const { job } of jobs) {
          const found = await results.findCompletedJob(job.workspaceId, job.jobId);
          assert.equal(invalidJobCompleted(found), null);
          assert.deepEqual(promised(found), promised(job));
        }
      },
      'finds no job for another workspace': async ({ results, jobs, otherWorkspaceId }) => {
        for (const { job } of jobs) assert.equal(await results.findCompletedJob(otherWorkspaceId, job.jobId), null);
      },
      'finds no job that does not exist': async ({ results, jobs, unknownJobId }) => {
        for (const { job } of jobs) assert.equal(await results.findCompletedJob(job.workspaceId, unknownJobId), null);
      },
      'finds no job that has not finished': async ({ results, unfinished }) => {
        if (unfinished) {
          assert.equal(await results.findCompletedJob(unfinished.workspaceId, unfinished.jobId), null);
        }
      },
    }),
    ...rowChecks(makeFixture),
    ...listingChecks(makeFixture),
  ];
}

function rowChecks(makeFixture: Make<MappingResultsFixture>): readonly ConformanceCheck[] {
  return checksOf(makeFixture, {
    'streams all rows of a job, in order, with their nulls': async ({ results, jobs }) => {
      for (const { job, rows } of jobs) {
        assert.deepEqual((await batchesOf(results, job)).flat().map(promisedRow), rows.map(promisedRow));
      }
    },
    'streams the same rows in the same order every time': async ({ results, jobs }) => {
      for (const { job } of jobs) {
        assert.deepEqual((await batchesOf(results, job)).flat(), (await batchesOf(results, job)).flat());
      }
    },
    'streams rows whose count the statistics agree with': async ({ results, jobs }) => {
      for (const { job } of jobs) {
        const rows = (await batchesOf(results, job)).flat();
        const matched = rows.filter(({ referenceHotelId }) => referenceHotelId !== null).length;
        assert.deepEqual(job.stats, { total: rows.length, matched, unmatched: rows.length - matched });
      }
    },
    'can be left in the middle of a stream and asked again from the start': async ({ results, jobs }) => {
      for (const { job, rows } of jobs) {
        for await (const batch of (await results.streamRows(keyOf(job))) ?? []) {
          if (batch.length > 0) break;
        }
        assert.equal((await batchesOf(results, job)).flat().length, rows.length);
      }
    },
    'says that the results of an unknown job do not exist': async ({ results, unknownJobId }) => {
      assert.equal(await results.streamRows({ jobId: unknownJobId, run: 1 }), null);
    },
  });
}

/** Without `listCompletedSince` there is nothing to keep, and these pass. */
function listingChecks(makeFixture: Make<MappingResultsFixture>): readonly ConformanceCheck[] {
  return checksOf(makeFixture, {
    'lists the jobs that completed since a time, oldest first': async ({ results, jobs }) => {
      const [oldest] = jobs;
      assert.ok(oldest);
      const listed = await results.listCompletedSince?.(oldest.job.completedAt, null, 1000);
      if (listed)
        assert.deepEqual(
          among(listed, jobs),
          jobs.map(({ job }) => promised(job)),
        );
    },
    'leaves out what completed before that time': async ({ results, jobs }) => {
      const newest = jobs.at(-1);
      assert.ok(newest);
      const listed = await results.listCompletedSince?.(newest.job.completedAt, null, 1000);
      if (listed) assert.deepEqual(among(listed, jobs), [promised(newest.job)]);
    },
    'goes on after the last job of a page, repeats none and misses none': async ({ results, jobs }) => {
      const [oldest] = jobs;
      assert.ok(oldest);
      if (!results.listCompletedSince) return;
      const listed: JobCompleted[] = [];
      for (let after: string | null = null; ;) {
        const page: readonly JobCompleted[] = await results.listCompletedSince(oldest.job.completedAt, after, 1);
        assert.ok(page.length <= 1, 'no more than the limit');
        const [job] = page;
        if (!job) break;
        assert.ok(!listed.some(({ jobId }) => jobId === job.jobId), `${job.jobId} was listed twice`);
        listed.push(job);
        after = job.jobId;
      }
      assert.deepEqual(
        among(listed, jobs),
        jobs.map(({ job }) => promised(job)),
      );
    },
  });
}

async function batchesOf(
  results: MappingResults,
  job: JobCompleted,
): Promise<readonly (readonly MappingResultRow[])[]> {
  const stream = await results.streamRows(keyOf(job));
  assert.ok(stream, `${job.jobId} has results`);
  const batches: (readonly MappingResultRow[])[] = [];
  for await (const batch of stream) batches.push(batch);
  return batches;
}

function keyOf({ jobId, run = 1 }: JobCompleted): JobKey {
  return { jobId, run };
}

/** The host may hold other jobs besides those of the fixture. */
function among(listed: readonly JobCompleted[], jobs: MappingResultsFixture['jobs']): readonly unknown[] {
  return listed.filter(({ jobId }) => jobs.some(({ job }) => job.jobId === jobId)).map(promised);
}

function promised(job: JobCompleted | null): unknown {
  if (!job) return null;
  const { jobId, agentId, workspaceId, completedAt, stats, run = 1 } = job;
  const { total, matched, unmatched } = stats;
  return { jobId, agentId, workspaceId, completedAt, stats: { total, matched, unmatched }, run };
}

function promisedRow({ partnerRowId, referenceHotelId, matchMethod, matchConfidence }: MappingResultRow): unknown {
  return { partnerRowId, referenceHotelId, matchMethod, matchConfidence };
}
