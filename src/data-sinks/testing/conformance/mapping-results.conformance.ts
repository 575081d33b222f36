import assert from 'node:assert/strict';
import {
  invalidJobCompleted,
  type JobCompleted,
  type JobKey,
  type MappingResultRow,
} from '../../domain/job-completed.js';
import { canonicalRow } from '../../domain/body/result-row.js';
import type { MappingResults } from '../../ports/mapping-results.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

export interface MappingResultsFixture {
  readonly results: MappingResults;
  /**
   * Completed jobs with all their rows in order: at least three, with different completion times, oldest first. One
   * needs enough rows to fill more than one batch.
   */
  readonly jobs: readonly { readonly job: JobCompleted; readonly rows: readonly MappingResultRow[] }[];
  /** A workspace that owns none of the jobs. */
  readonly otherWorkspaceId: string;
  /**
   * A completed job of another workspace with the id of one of `jobs`, completed at the same time or later, with other
   * rows. Null where the host's job ids are unique across workspaces.
   */
  readonly sameIdElsewhere: { readonly job: JobCompleted; readonly rows: readonly MappingResultRow[] } | null;
  /** The id of a job that does not exist. */
  readonly unknownJobId: string;
  /** A job that exists but has not completed; null if the host does not store such jobs. */
  readonly unfinished: { readonly workspaceId: string; readonly jobId: string } | null;
}

/** Conformance checks for a host's `MappingResults`. */
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
    ...workspaceChecks(makeFixture),
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
    'streams batches of rows that can be sent: no row by itself, none that is null, each confidence from 0 to 1':
      async ({ results, jobs }) => {
        for (const { job } of jobs) {
          for (const batch of await batchesOf(results, job)) {
            assert.ok(Array.isArray(batch), 'a batch is an array of rows');
            for (const row of batch as readonly MappingResultRow[]) canonicalRow(row);
          }
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
    'says that the results of an unknown job do not exist': async ({ results, jobs, unknownJobId }) => {
      for (const { job } of jobs) {
        assert.equal(await results.streamRows({ ...keyOf(job), jobId: unknownJobId }), null);
      }
    },
  });
}

/** Job ids are unique within a workspace. */
function workspaceChecks(makeFixture: Make<MappingResultsFixture>): readonly ConformanceCheck[] {
  return checksOf(makeFixture, {
    'streams no rows of a job for another workspace': async ({ results, jobs, otherWorkspaceId }) => {
      for (const { job } of jobs) {
        assert.equal(await results.streamRows({ ...keyOf(job), workspaceId: otherWorkspaceId }), null);
      }
    },
    'finds, of two workspaces with one job id, the job of the workspace that is asked for': async (fixture) => {
      for (const { job } of withSameId(fixture)) {
        const found = await fixture.results.findCompletedJob(job.workspaceId, job.jobId);
        assert.deepEqual(promised(found), promised(job));
      }
    },
    'streams, of two workspaces with one job id, the rows of the workspace that is asked for': async (fixture) => {
      for (const { job, rows } of withSameId(fixture)) {
        assert.deepEqual((await batchesOf(fixture.results, job)).flat().map(promisedRow), rows.map(promisedRow));
      }
    },
    'lists the jobs of two workspaces with one id, each once': async (fixture) => {
      const same = withSameId(fixture);
      const [oldest] = fixture.jobs;
      if (!oldest || same.length === 0 || !fixture.results.listCompletedSince) return;
      const listed = await pagesOfOne(fixture.results, oldest.job.completedAt);
      assert.deepEqual(new Set(among(listed, same)), new Set(same.map(({ job }) => promised(job))));
    },
  });
}

/** The jobs with the same id in two workspaces; empty if there are none. */
function withSameId({ jobs, sameIdElsewhere: other }: MappingResultsFixture): MappingResultsFixture['jobs'] {
  if (!other) return [];
  const [job] = jobs.filter((one) => one.job.jobId === other.job.jobId);
  assert.ok(job, `sameIdElsewhere, ${other.job.jobId}, has the id of one of the jobs`);
  assert.notEqual(job.job.workspaceId, other.job.workspaceId);
  assert.notDeepEqual(job.rows, other.rows);
  return [job, other];
}

/** Pass trivially without `listCompletedSince`. */
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
      const listed = await pagesOfOne(results, oldest.job.completedAt);
      assert.deepEqual(
        among(listed, jobs),
        jobs.map(({ job }) => promised(job)),
      );
    },
  });
}

async function pagesOfOne(results: MappingResults, since: Date): Promise<readonly JobCompleted[]> {
  const listed: JobCompleted[] = [];
  for (let after: JobCompleted | null = null; ;) {
    const page: readonly JobCompleted[] = (await results.listCompletedSince?.(since, after, 1)) ?? [];
    assert.ok(page.length <= 1, 'no more than the limit');
    const [job] = page;
    if (!job) return listed;
    assert.ok(!listed.some((one) => isSame(one, job)), `${job.jobId} of ${job.workspaceId} was listed twice`);
    listed.push(job);
    after = job;
  }
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

function keyOf({ workspaceId, jobId, run = 1 }: JobCompleted): JobKey {
  return { workspaceId, jobId, run };
}

function isSame(one: JobCompleted, other: JobCompleted): boolean {
  return one.workspaceId === other.workspaceId && one.jobId === other.jobId;
}

/** The host may have other jobs besides the fixture's. */
function among(listed: readonly JobCompleted[], jobs: MappingResultsFixture['jobs']): readonly unknown[] {
  return listed.filter((one) => jobs.some(({ job }) => isSame(job, one))).map(promised);
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
