import { PortAnswerError } from '../../domain/errors.js';
import { describeType } from '../../domain/describe-type.js';
import {
  invalidJobCompleted,
  type JobCompleted,
  type JobKey,
  type MappingResultRow,
} from '../../domain/job-completed.js';
import { InvalidResultsError } from '../../domain/body/result-row.js';
import { within } from '../../tools/within.js';
import { throughPort } from '../failed-port.js';
import type { MappingResults } from '../mapping-results.js';
import { callPort, isObject, started, wrongAnswer } from './call-port.js';

const FIND = 'MappingResults.findCompletedJob()';
const STREAM = 'MappingResults.streamRows()';
const LIST = 'MappingResults.listCompletedSince()';

/** Time limits of the host's answers, in milliseconds. */
export interface ResultsLimits {
  readonly answerMs: number;
  /** For `streamRows` and for each batch: a host may sort a million rows before the first batch. */
  readonly rowsMs: number;
  /** For `listCompletedSince`: its first page covers a day of jobs. */
  readonly listMs: number;
}

/** A stream that yields this many empty batches in a row is an error: reading on might never end. */
const MAX_EMPTY_BATCHES = 1_000;

type Batch = readonly MappingResultRow[];
type Batches = AsyncIterable<Batch>;

/**
 * The host's results with time limits and a check of every answer; rows are checked when they are formatted. Without a
 * limit, a stream that hangs would keep its delivery in flight for ever, since its lease is renewed meanwhile. The
 * total build time and the time between two reads are not limited.
 */
export class BoundMappingResults implements MappingResults {
  /** Absent if the host does not implement it: missed completions are then not detected. */
  readonly listCompletedSince?: MappingResults['listCompletedSince'];

  constructor(
    private readonly host: MappingResults,
    private readonly limits: ResultsLimits,
  ) {
    if (host.listCompletedSince) this.listCompletedSince = (...page) => this.#list(...page);
  }

  /** @throws NoAnswerError, PortAnswerError, whatever the host throws */
  async findCompletedJob(workspaceId: string, jobId: string): Promise<JobCompleted | null> {
    const answer = await callPort(FIND, this.limits.answerMs, () => this.host.findCompletedJob(workspaceId, jobId));
    if (answer === null) return null;
    if (!isObject(answer)) throw wrongAnswer(FIND, answer, 'it must return a completed job or null');
    const problem = invalidJobCompleted(answer);
    if (problem !== null) throw new PortAnswerError(`${FIND} returned a job of which ${problem}`);
    return answer as unknown as JobCompleted;
  }

  /**
   * @throws NoAnswerError and whatever the host throws: temporary, uses no retry
   * @throws InvalidResultsError for an answer of the wrong shape, here or while rows are read: final, since a retry
   *   would find the same
   */
  async streamRows(job: JobKey): Promise<Batches | null> {
    const { rowsMs } = this.limits;
    const asked = started(() => this.host.streamRows(job));
    let answer: unknown;
    try {
      answer = await within(asked, rowsMs, STREAM);
    } catch (error) {
      // If the host answers after the limit, it may have opened a cursor, which is closed here.
      asked.then((late) => (isAsyncIterable(late) ? closeUnread(late, rowsMs) : undefined)).catch(() => undefined);
      throughPort(error, STREAM);
      throw error;
    }
    if (answer === null) return null;
    if (!isAsyncIterable(answer)) {
      throw new InvalidResultsError(
        `${STREAM} returned ${describeType(answer)}; it must return an async iterable of arrays of rows, or null`,
      );
    }
    return checkedBatches(answer, rowsMs);
  }

  /** The caller checks each job, so that an invalid one does not hold back the others. */
  async #list(since: Date, after: JobCompleted | null, limit: number): Promise<readonly JobCompleted[]> {
    const answer = await callPort(LIST, this.limits.listMs, () => this.host.listCompletedSince?.(since, after, limit));
    if (!Array.isArray(answer)) throw wrongAnswer(LIST, answer, 'it must return an array');
    return answer as readonly JobCompleted[];
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return isObject(value) && typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function';
}

async function* checkedBatches(batches: AsyncIterable<unknown>, limitMs: number): AsyncGenerator<Batch, void> {
  const iterator = batches[Symbol.asyncIterator]();
  let [asking, over, empty] = [true, false, 0];
  const next = async (): Promise<IteratorResult<unknown>> => {
    try {
      const result: unknown = await iterator.next();
      if (!isObject(result))
        throw new InvalidResultsError(`${STREAM} returned an iterator whose next() returned no result object`);
      over = result['done'] === true;
      return result as unknown as IteratorResult<unknown>;
    } catch (error) {
      over = true;
      throughPort(error, STREAM);
      throw error;
    }
  };
  try {
    for (;;) {
      const result = await within(next(), limitMs, `the next rows of ${STREAM}`);
      if (result.done) return;
      asking = false;
      yield batchOf(result.value, (empty = isEmpty(result.value) ? empty + 1 : 0));
      asking = true;
    }
  } finally {
    // As in `for await`: an iterator that ended or failed is not closed again.
    if (!over) {
      const closed = close(iterator);
      // While `next()` is pending, `return()` waits for it; we do not wait for that.
      if (!asking) await within(closed, limitMs, `the end of ${STREAM}`).catch(() => undefined);
    }
  }
}

/** @throws InvalidResultsError for a row instead of a batch, for anything else, and for too many empty batches */
function batchOf(value: unknown, empty: number): Batch {
  if (!Array.isArray(value)) {
    throw new InvalidResultsError(`${STREAM} gave ${describeType(value)} instead of a batch, an array of rows`);
  }
  if (empty > MAX_EMPTY_BATCHES) {
    throw new InvalidResultsError(`${STREAM} gave more than ${MAX_EMPTY_BATCHES} empty batches in a row`);
  }
  return value as Batch;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/**
 * Reads the first batch before closing: an iterator that was never started runs no `finally`, and a Node stream is not
 * destroyed.
 */
async function closeUnread(batches: AsyncIterable<unknown>, limitMs: number): Promise<void> {
  for await (const _first of checkedBatches(batches, limitMs)) return;
}

/** Never fails: the rows read so far, or the earlier error, are what matters. */
async function close(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // Nothing more can be done.
  }
}
