import { invalidHostId, type MappingResultRow, ProblemError, type RuleViolation } from '../../data-sinks/index.js';
import { NdjsonError, readNdjson } from './ndjson-lines.js';
import { readResultRow } from './result-row.js';

/** Rows per statement: large enough to be efficient, small enough to let other statements run in between. */
const BATCH_ROWS = 1_000;
const MAX_VIOLATIONS = 50;

export type RowBatches = AsyncIterable<readonly MappingResultRow[]>;

export interface FinishedJob {
  readonly jobId: string | null;
  readonly batches: RowBatches;
}

/**
 * Parses the JSON body of a completed job, `{ "results": […] }` with an optional `jobId`.
 * @throws {ProblemError} `validation-failed` with a pointer for each error, at most 50
 */
export function readFinishedJob(body: unknown): FinishedJob {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid([{ pointer: '', detail: 'must be an object such as { "results": [] }' }]);
  }
  const { results, jobId, ...others } = body as Readonly<Record<string, unknown>>;
  const violations: RuleViolation[] = Object.keys(others).map((key) => ({
    pointer: `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    detail: 'unknown field; known are results, jobId',
  }));
  if (jobId !== undefined) violations.push(...jobIdViolations(jobId, '/jobId'));
  if (!Array.isArray(results)) violations.push({ pointer: '/results', detail: 'must be a list of result rows' });

  const rows: MappingResultRow[] = [];
  for (const [index, value] of (Array.isArray(results) ? results : []).entries()) {
    const result = readResultRow(value, `/results/${index}`);
    if (result.ok) rows.push(result.row);
    else violations.push(...result.violations);
    if (violations.length >= MAX_VIOLATIONS) break;
  }
  if (violations.length > 0) throw invalid(violations.slice(0, MAX_VIOLATIONS));
  return { jobId: typeof jobId === 'string' ? jobId : null, batches: batchesOf(rows) };
}

/**
 * Parses rows as they arrive, one per line. Stops at the first bad line.
 * @throws {ProblemError} while being iterated: `malformed-json` or `validation-failed`, naming the line
 */
export async function* readRowLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly MappingResultRow[]> {
  let batch: MappingResultRow[] = [];
  try {
    for await (const { line, value } of readNdjson(chunks)) {
      const result = readResultRow(value, '');
      if (!result.ok) {
        throw invalid(result.violations.map((v) => ({ ...v, detail: `line ${line}: ${v.detail}` })));
      }
      batch.push(result.row);
      if (batch.length === BATCH_ROWS) {
        yield batch;
        batch = [];
      }
    }
  } catch (error) {
    if (error instanceof NdjsonError) {
      throw new ProblemError('malformed-json', `Line ${error.line} ${error.detail}. No row was kept.`);
    }
    throw error;
  }
  if (batch.length > 0) yield batch;
}

/** Any id that the module accepts, so that this host can be tested with the ids of other hosts. */
export function jobIdViolations(jobId: unknown, pointer: string): RuleViolation[] {
  const detail = invalidHostId(jobId);
  return detail === null ? [] : [{ pointer, detail }];
}

export function invalid(errors: readonly RuleViolation[]): ProblemError {
  return new ProblemError('validation-failed', 'The finished job has errors; nothing of it was kept.', { errors });
}

async function* batchesOf(rows: readonly MappingResultRow[]): AsyncGenerator<readonly MappingResultRow[]> {
  for (let start = 0; start < rows.length; start += BATCH_ROWS) yield rows.slice(start, start + BATCH_ROWS);
}
