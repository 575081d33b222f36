import { describe, expect, it } from '@jest/globals';
import { ProblemError } from '../../../../src/data-sinks/index.js';
import { readFinishedJob, readRowLines, type RowBatches } from '../../../../src/reference-host/jobs/incoming-rows.js';

const JOB_ID = 'job_01J8XK5D1QZ4M7T2B5N6C8D0EF';

describe('the body of a completed job', () => {
  it('is read as rows in batches', async () => {
    const results = Array.from({ length: 2_500 }, (_, i) => ({ partnerRowId: `row_${i}` }));
    const { jobId, batches } = readFinishedJob({ results, jobId: JOB_ID });
    expect(jobId).toBe(JOB_ID);
    expect((await collect(batches)).map((batch) => batch.length)).toEqual([1_000, 1_000, 500]);
  });

  it('may have no rows', async () => {
    expect(await collect(readFinishedJob({ results: [] }).batches)).toEqual([]);
  });

  it.each<[string, unknown, readonly string[]]>([
    ['no object', [], ['']],
    ['nothing', undefined, ['']],
    ['no results', {}, ['/results']],
    ['results that are no list', { results: {} }, ['/results']],
    ['an unknown field', { results: [], rows: [] }, ['/rows']],
    ['a job id that is too long', { results: [], jobId: 'j'.repeat(256) }, ['/jobId']],
    [
      'bad rows',
      { results: [{ partnerRowId: 'a' }, { partnerRowId: 1 }, {}] },
      ['/results/1/partnerRowId', '/results/2/partnerRowId'],
    ],
  ])('is refused when it has %s', (_, body, pointers) => {
    expect(pointersOf(() => readFinishedJob(body))).toEqual(pointers);
  });

  it('reports at most 50 errors', () => {
    expect(pointersOf(() => readFinishedJob({ results: Array.from({ length: 90 }, () => 1) }))).toHaveLength(50);
  });
});

describe('rows sent one per line', () => {
  it('are read in batches', async () => {
    const lines = Array.from({ length: 1_001 }, (_, i) => JSON.stringify({ partnerRowId: `row_${i}` })).join('\n');
    expect((await collect(readRowLines(chunk(lines)))).map((batch) => batch.length)).toEqual([1_000, 1]);
  });

  it('are refused with the line’s number', async () => {
    const error: unknown = await collect(readRowLines(chunk('{"partnerRowId":"a"}\n{"partnerRowId":2}'))).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({
      code: 'validation-failed',
      extras: { errors: [{ pointer: '/partnerRowId', detail: expect.stringMatching(/^line 2: must be a string/) }] },
    });
  });

  it('are refused when a line is not JSON', async () => {
    const error: unknown = await collect(readRowLines(chunk('{"partnerRowId":"a"}\nnope'))).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'malformed-json', detail: 'Line 2 is not JSON. No row was kept.' });
  });
});

async function* chunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function collect(batches: RowBatches): Promise<(readonly unknown[])[]> {
  const found: (readonly unknown[])[] = [];
  for await (const batch of batches) found.push(batch);
  return found;
}

function pointersOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof ProblemError) return (error.extras.errors ?? []).map(({ pointer }) => pointer);
    throw error;
  }
}
