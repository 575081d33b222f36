import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { MappingResultRow } from '../../../../../src/data-sinks/domain/job-completed.js';
import { BoundMappingResults } from '../../../../../src/data-sinks/ports/bound/index.js';
import type { MappingResults } from '../../../../../src/data-sinks/ports/mapping-results.js';

type Batch = readonly MappingResultRow[];

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

const ROWS_MS = 120_000;
const LIMITS = { answerMs: 10_000, rowsMs: ROWS_MS, listMs: 30_000 };
const JOB = { workspaceId: 'ws_1', jobId: 'job_1', run: 1 };
const row = (n: number): Batch => [
  { partnerRowId: `row_${n}`, referenceHotelId: null, matchMethod: null, matchConfidence: null },
];
const never = new Promise<never>(() => undefined);

function results(streamRows: () => Promise<AsyncIterable<Batch> | null>): BoundMappingResults {
  return new BoundMappingResults({ streamRows } as unknown as MappingResults, LIMITS);
}

async function read(rows: AsyncIterable<Batch> | null, most = Infinity): Promise<string[]> {
  const ids: string[] = [];
  for await (const batch of rows ?? []) {
    ids.push(...batch.map(({ partnerRowId }) => partnerRowId));
    if (ids.length >= most) break;
  }
  return ids;
}

/** Two batches, and a note of when it is closed. `before` the second one it may hang. */
function aStream(before: Promise<unknown> = Promise.resolve()) {
  const state = { closed: false };
  async function* batches(): AsyncGenerator<Batch> {
    try {
      yield row(1);
      await before;
      yield row(2);
    } finally {
      state.closed = true;
    }
  }
  async function* failing(): AsyncGenerator<Batch> {
    yield* [];
    throw new Error('host away');
  }
  return { state, batches, failing, made: results(async () => batches()) };
}

/** Some turns of the event loop, which is not faked. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What came of it when all that time has passed. */
async function after<T>(ms: number, work: Promise<T>): Promise<PromiseSettledResult<T> | undefined> {
  const settled = Promise.allSettled([work]);
  await jest.advanceTimersByTimeAsync(ms);
  return (await Promise.race([settled, Promise.resolve([undefined])]))[0];
}

describe('rows that arrive in time', () => {
  it('are passed on', async () => {
    expect(await read(await aStream().made.streamRows(JOB))).toEqual(['row_1', 'row_2']);
    expect(await results(async () => null).streamRows(JOB)).toBeNull();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are closed when the reader stops early', async () => {
    const { state, made } = aStream();
    expect(await read(await made.streamRows(JOB), 1)).toEqual(['row_1']);
    expect(state.closed).toBe(true);
  });

  it('may be read slowly: our own time does not count', async () => {
    const rows = (await aStream().made.streamRows(JOB)) as AsyncGenerator<Batch>;
    await rows.next();
    await jest.advanceTimersByTimeAsync(10 * ROWS_MS);
    expect((await rows.next()).value).toEqual(row(2));
  });

  it('fail with the error of the host’s stream', async () => {
    const { made } = aStream(Promise.reject(new Error('host away')));
    await expect(read(await made.streamRows(JOB))).rejects.toThrow('host away');
  });
});

describe('the iterator of a host', () => {
  const failing: Readonly<Record<string, () => Promise<never>>> = {
    'by a rejection': () => Promise.reject(new Error('cannot close')),
    'at once': () => {
      throw new Error('cannot close');
    },
  };

  /** One batch, and then what is given. A note of each time that it is closed, which fails. */
  function aHost(then: () => Promise<IteratorResult<Batch>>, closing: () => Promise<never>) {
    const state = { asked: 0, closed: 0 };
    const iterator = {
      next: () => (state.asked++ === 0 ? Promise.resolve({ done: false as const, value: row(1) }) : then()),
      return: () => {
        state.closed++;
        return closing();
      },
    };
    return { state, made: results(async () => ({ [Symbol.asyncIterator]: () => iterator })) };
  }

  it.each(Object.entries(failing))('is not closed after its end, where it may fail %s', async (_how, closing) => {
    const { state, made } = aHost(async () => ({ done: true, value: undefined }), closing);
    expect(await read(await made.streamRows(JOB))).toEqual(['row_1']);
    expect(state.closed).toBe(0);
  });

  it.each(Object.entries(failing))('is not closed after its failure, where it may fail %s', async (_how, closing) => {
    const { state, made } = aHost(() => Promise.reject(new Error('host away')), closing);
    await expect(read(await made.streamRows(JOB))).rejects.toThrow('host away');
    expect(state.closed).toBe(0);
  });

  it.each(Object.entries(failing))('hides nothing when it fails %s to close, early', async (_how, closing) => {
    const { state, made } = aHost(() => never, closing);
    expect(await read(await made.streamRows(JOB), 1)).toEqual(['row_1']);
    expect(state.closed).toBe(1);
  });

  it.each(Object.entries(failing))('hides nothing when it fails %s to close, being late', async (_how, closing) => {
    const { state, made } = aHost(() => never, closing);
    expect(await after(ROWS_MS, read(await made.streamRows(JOB)))).toMatchObject({
      reason: { message: expect.stringContaining('did not answer within') },
    });
    expect(state.closed).toBe(1);
  });

  it('is not awaited longer than the limit when closing hangs', async () => {
    const { made } = aHost(
      () => never,
      () => never,
    );
    expect(await after(ROWS_MS, read(await made.streamRows(JOB), 1))).toMatchObject({ value: ['row_1'] });
  });
});

describe('results that stop coming fail', () => {
  it.each([
    ['when they are asked for', results(() => never)],
    ['before the first row', results(async () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) }))],
    ['in the middle', aStream(never).made],
  ])('%s', async (_when, made) => {
    const reading = made.streamRows(JOB).then((rows) => read(rows));
    expect(await after(ROWS_MS, reading)).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining(`did not answer within ${ROWS_MS} ms`) },
    });
  });

  it('and their stream is closed if it continues later', async () => {
    let goOn: () => void = () => undefined;
    const { state, made } = aStream(new Promise<void>((resolve) => (goOn = resolve)));
    await after(ROWS_MS, read(await made.streamRows(JOB)));
    expect(state.closed).toBe(false);
    goOn();
    await jest.advanceTimersByTimeAsync(0);
    expect(state.closed).toBe(true);
  });

  it.each([
    ['a generator', (opened: () => AsyncGenerator<Batch>) => opened()],
    ['a stream', (opened: () => AsyncGenerator<Batch>) => Readable.from(opened())],
  ])('and are closed if they arrive late: %s', async (_what, made) => {
    let come: (rows: AsyncIterable<Batch>) => void = () => undefined;
    const { state, batches } = aStream();
    const asking = results(() => new Promise((resolve) => (come = resolve))).streamRows(JOB);
    expect(await after(ROWS_MS, asking)).toMatchObject({ status: 'rejected' });
    come(made(batches));
    await turns();
    expect([state.closed, jest.getTimerCount()]).toEqual([true, 0]);
  });

  it.each<[string, () => Promise<AsyncIterable<Batch> | null>]>([
    ['with a failure', () => Promise.reject(new Error('host away'))],
    ['with nothing', async () => null],
    ['with a stream that fails', async () => aStream().failing()],
    ['with something else', async () => 7 as unknown as AsyncIterable<Batch>],
  ])('and an error after the limit is ignored: %s', async (_what, answer) => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    let come: (rows: Promise<AsyncIterable<Batch> | null>) => void = () => undefined;
    const asking = results(() => new Promise((resolve) => (come = resolve))).streamRows(JOB);
    expect(await after(ROWS_MS, asking)).toMatchObject({ status: 'rejected' });
    come(answer());
    await turns();
    process.off('unhandledRejection', unhandled);
    expect([unhandled.mock.calls, jest.getTimerCount()]).toEqual([[], 0]);
  });
});

describe('rows in the wrong shape end the delivery with results_invalid', () => {
  const STREAM = 'MappingResults.streamRows()';
  async function* giving(...values: readonly unknown[]): AsyncGenerator<unknown> {
    yield* values;
  }
  function* aGenerator(): Generator<Batch> {
    yield row(1);
  }
  const due = 'it must return an async iterable of arrays of rows, or null';
  const [first] = row(1);
  it.each<[string, unknown, string]>([
    ['undefined', undefined, `returned undefined; ${due}`],
    ['false', false, `returned a boolean; ${due}`],
    ['a row', first, `returned an object; ${due}`],
    ['an array of rows', row(1), `returned an array; ${due}`],
    ['an array of batches', [row(1)], `returned an array; ${due}`],
    ['a Map', new Map(), `returned a Map; ${due}`],
    ['a generator that is not async', aGenerator(), `returned an object; ${due}`],
    ['a text', 'row_1', `returned a string; ${due}`],
    ['the function that makes the stream', giving, `returned a function; ${due}`],
    ['a stream of rows, not of batches', Readable.from(row(1)), 'gave an object instead of a batch, an array of rows'],
    ['rows, one by one', giving(first), 'gave an object instead of a batch, an array of rows'],
    ['bytes', Readable.from([Buffer.from('[]')]), 'gave a Buffer instead of a batch, an array of rows'],
    ['lines of text', giving('{}'), 'gave a string instead of a batch, an array of rows'],
    ['null for a batch', giving(row(1), null), 'gave null instead of a batch, an array of rows'],
    ['nothing for a batch', giving(undefined), 'gave undefined instead of a batch, an array of rows'],
    ['a promise for a batch', giving({ then: 1 }), 'gave an object instead of a batch, an array of rows'],
    [
      'an iterator without results',
      { [Symbol.asyncIterator]: () => ({ next: async () => undefined }) },
      'returned an iterator whose next() returned no result object',
    ],
    [
      'empty batches without end',
      (async function* () {
        for (;;) yield [];
      })(),
      'gave more than 1000 empty batches in a row',
    ],
  ])('%s', async (_what, answer, message) => {
    const made = results(async () => answer as AsyncIterable<Batch>);
    const reading = made.streamRows(JOB).then((rows) => read(rows));
    await expect(reading).rejects.toMatchObject({ code: 'results_invalid', message: `${STREAM} ${message}` });
  });

  it.each<[string, () => unknown]>([
    ['a promise of a promise', async () => Promise.resolve(Promise.resolve(giving(row(1))))],
    ['a stream without a promise', () => giving(row(1))],
    ['a Readable', async () => Readable.from([row(1)])],
    ['a ReadableStream of the web', async () => Readable.toWeb(Readable.from([row(1)]))],
    ['an empty batch among others', async () => giving([], row(1), [])],
  ])('except %s, which is valid', async (_what, streamRows) => {
    expect(await read(await results(streamRows as never).streamRows(JOB))).toEqual(['row_1']);
  });

  it('and the stream with a wrong batch is closed', async () => {
    const state = { closed: false };
    const made = results(async () =>
      (async function* () {
        try {
          yield 'no batch' as unknown as Batch;
        } finally {
          state.closed = true;
        }
      })(),
    );
    await expect(read(await made.streamRows(JOB))).rejects.toMatchObject({ code: 'results_invalid' });
    expect(state.closed).toBe(true);
  });

  it.each<[string, () => unknown]>([
    [
      'throws at once',
      () => {
        throw new Error('host away');
      },
    ],
    ['rejects', () => Promise.reject(new Error('host away'))],
    ['breaks off', async () => Readable.from(giving(row(1))).destroy(new Error('host away'))],
  ])('while a host that %s has a temporary failure', async (_what, streamRows) => {
    const reading = results(streamRows as never)
      .streamRows(JOB)
      .then((rows) => read(rows));
    await expect(reading).rejects.toThrow('host away');
    await expect(reading).rejects.not.toMatchObject({ code: 'results_invalid' });
  });
});
