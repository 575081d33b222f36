import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { MappingResultRow } from '../../../../src/data-sinks/core/job-completed.js';
import { PunctualResults, ROWS_WITHIN_MS } from '../../../../src/data-sinks/pipeline/punctual-results.js';

type Batch = readonly MappingResultRow[];

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] }));
afterEach(() => void jest.useRealTimers());

const JOB = { jobId: 'job_1', run: 1 };
const row = (n: number): Batch => [
  { partnerRowId: `row_${n}`, referenceHotelId: null, matchMethod: null, matchConfidence: null },
];
const never = new Promise<never>(() => undefined);

function results(streamRows: () => Promise<AsyncIterable<Batch> | null>): PunctualResults {
  return new PunctualResults({ streamRows });
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

describe('results that are in time', () => {
  it('come as the host gives them', async () => {
    expect(await read(await aStream().made.streamRows(JOB))).toEqual(['row_1', 'row_2']);
    expect(await results(async () => null).streamRows(JOB)).toBeNull();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('are closed for whoever stops early', async () => {
    const { state, made } = aStream();
    expect(await read(await made.streamRows(JOB), 1)).toEqual(['row_1']);
    expect(state.closed).toBe(true);
  });

  it('may be read slowly: the time that we take is not the host’s', async () => {
    const rows = (await aStream().made.streamRows(JOB)) as AsyncGenerator<Batch>;
    await rows.next();
    await jest.advanceTimersByTimeAsync(10 * ROWS_WITHIN_MS);
    expect((await rows.next()).value).toEqual(row(2));
  });

  it('fail as the host’s stream does', async () => {
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
    expect(await after(ROWS_WITHIN_MS, read(await made.streamRows(JOB)))).toMatchObject({
      reason: { message: expect.stringContaining('did not answer within') },
    });
    expect(state.closed).toBe(1);
  });

  it('is waited for no longer than for rows when it hangs as it is closed', async () => {
    const { made } = aHost(
      () => never,
      () => never,
    );
    expect(await after(ROWS_WITHIN_MS, read(await made.streamRows(JOB), 1))).toMatchObject({ value: ['row_1'] });
  });
});

describe('results that stop coming fail', () => {
  it.each([
    ['when they are asked for', results(() => never)],
    ['before the first row', results(async () => ({ [Symbol.asyncIterator]: () => ({ next: () => never }) }))],
    ['in the middle', aStream(never).made],
  ])('%s', async (_when, made) => {
    const reading = made.streamRows(JOB).then((rows) => read(rows));
    expect(await after(ROWS_WITHIN_MS, reading)).toMatchObject({
      status: 'rejected',
      reason: { message: expect.stringContaining(`did not answer within ${ROWS_WITHIN_MS} ms`) },
    });
  });

  it('and their stream is closed when it goes on all the same', async () => {
    let goOn: () => void = () => undefined;
    const { state, made } = aStream(new Promise<void>((resolve) => (goOn = resolve)));
    await after(ROWS_WITHIN_MS, read(await made.streamRows(JOB)));
    expect(state.closed).toBe(false);
    goOn();
    await jest.advanceTimersByTimeAsync(0);
    expect(state.closed).toBe(true);
  });

  it.each([
    ['a generator', (opened: () => AsyncGenerator<Batch>) => opened()],
    ['a stream', (opened: () => AsyncGenerator<Batch>) => Readable.from(opened())],
  ])('and are closed when they come after their time: %s', async (_what, made) => {
    let come: (rows: AsyncIterable<Batch>) => void = () => undefined;
    const { state, batches } = aStream();
    const asking = results(() => new Promise((resolve) => (come = resolve))).streamRows(JOB);
    expect(await after(ROWS_WITHIN_MS, asking)).toMatchObject({ status: 'rejected' });
    come(made(batches));
    await turns();
    expect([state.closed, jest.getTimerCount()]).toEqual([true, 0]);
  });

  it.each<[string, () => Promise<AsyncIterable<Batch> | null>]>([
    ['with a failure', () => Promise.reject(new Error('host away'))],
    ['with nothing', async () => null],
    ['with a stream that fails', async () => aStream().failing()],
    ['with something else', async () => 7 as unknown as AsyncIterable<Batch>],
  ])('and nobody hears of it when they come after their time %s', async (_what, answer) => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    let come: (rows: Promise<AsyncIterable<Batch> | null>) => void = () => undefined;
    const asking = results(() => new Promise((resolve) => (come = resolve))).streamRows(JOB);
    expect(await after(ROWS_WITHIN_MS, asking)).toMatchObject({ status: 'rejected' });
    come(answer());
    await turns();
    process.off('unhandledRejection', unhandled);
    expect([unhandled.mock.calls, jest.getTimerCount()]).toEqual([[], 0]);
  });
});
