import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ExchangeResult } from '../../../../src/data-sinks/core/attempt-outcome.js';
import { InvalidResultRowError } from '../../../../src/data-sinks/core/result-row.js';
import type { PushClient } from '../../../../src/data-sinks/egress/push-client.js';
import type { PushRequest } from '../../../../src/data-sinks/egress/push-exchange.js';
import type { PayloadBodies } from '../../../../src/data-sinks/payload/payload-bodies.js';
import {
  PayloadBeingBuiltError,
  ResultsMissingError,
  TooManyPartsError,
} from '../../../../src/data-sinks/payload/payload-errors.js';
import type { AttemptClosing } from '../../../../src/data-sinks/persistence/attempt-log.js';
import { AttemptAbortedError } from '../../../../src/data-sinks/pipeline/attempt-aborted.error.js';
import type { AttemptEnd, AttemptRecorder } from '../../../../src/data-sinks/pipeline/attempt-recorder.js';
import { DeliveryAttempt } from '../../../../src/data-sinks/pipeline/delivery-attempt.js';
import { PartsIncompleteError, PartsUnderWayError } from '../../../../src/data-sinks/pipeline/delivery-parts.js';
import type { PushSigner, SigningRequest } from '../../../../src/data-sinks/pipeline/push-signer.js';
import type { TracedExchange } from '../../../../src/data-sinks/telemetry/exchange-span.js';
import type { Telemetry } from '../../../../src/data-sinks/telemetry/telemetry.js';
import { aClaimedDelivery } from './claimed.js';

const TIMINGS = { dnsMs: 1, connectMs: 2, tlsMs: 3, uploadMs: 4, waitMs: 5, totalMs: 15 };
const OWN = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const PAYLOAD = { bodyId: 'pld_1', sha256: 'ab'.repeat(32), bytes: 8, rows: 1 };

let lines: unknown[];
beforeEach(() => {
  lines = [];
  for (const level of ['log', 'error'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => void lines.push(line));
  }
});
afterEach(() => void jest.restoreAllMocks());

interface Stage {
  readonly watched?: boolean;
  readonly parts?: () => Promise<never>;
  readonly obtain?: () => Promise<never>;
  readonly opened?: boolean | Error;
  readonly givenBack?: boolean | Error;
  readonly recorded?: boolean | Error;
  readonly post?: (request: PushRequest) => Promise<unknown>;
}

const answering = (result: ExchangeResult) => async () => ({
  result,
  timings: TIMINGS,
  answer:
    result.kind === 'answered'
      ? { httpStatus: result.httpStatus, headers: [], excerpt: 'said', ending: 'complete' }
      : null,
  remoteAddress: '203.0.113.9',
  operatorDetail: null,
});
const status = (httpStatus: number, retryAfterMs: number | null = null) =>
  answering({ kind: 'answered', httpStatus, retryAfterMs });

function stage(given: Stage) {
  const {
    watched = false,
    parts,
    obtain,
    opened = true,
    givenBack = true,
    recorded = true,
    post = status(200),
  } = given;
  const ofWorker = new AbortController().signal;
  const order: string[] = [];
  const closings: AttemptClosing[] = [];
  const requests: PushRequest[] = [];
  const body = { payload: PAYLOAD, whole: Buffer.from('the body'), open: () => [] as never };
  const bodies = {
    obtain: obtain ?? (async (_delivery: unknown, watch: unknown) => ({ ...body, watchedBy: watched ? watch : null })),
  } as unknown as PayloadBodies;
  const signings: SigningRequest[] = [];
  const signer = {
    watch: () => ({ headers: () => ({ 'X-MT-Signature': 'made while the body was' }) }),
    sign: async (request: SigningRequest) => (
      order.push('signed'),
      signings.push(request),
      { 'X-MT-Signature': 'sha256=…' }
    ),
  } as unknown as PushSigner;
  const client = {
    post: (request: PushRequest) => (order.push('posted'), requests.push(request), post(request)),
  } as unknown as PushClient;
  const recorder = {
    open: async ({ attemptId, deliveryId }: { attemptId: string; deliveryId: string }) => {
      order.push('opened');
      if (opened instanceof Error) throw opened;
      return opened ? { attemptId, deliveryId, attemptNumber: 3, startedAt: new Date(0) } : null;
    },
    giveBack: async ({ id }: { id: string }, waitMs: number, signal: unknown) => {
      order.push(`given back: ${id}, for ${waitMs} ms${signal === ofWorker ? '' : ', whatever is stopped'}`);
      if (givenBack instanceof Error) throw givenBack;
      return givenBack;
    },
    close: async ({ closing }: AttemptEnd) => {
      order.push('closed');
      closings.push(closing);
      if (recorded instanceof Error) throw recorded;
      return recorded;
    },
  } as unknown as AttemptRecorder;
  const requireOthers = parts ?? (async () => undefined);
  const options = { retryWaitsMs: [5_000, 30_000, 300_000], random: () => 0 };
  const ended: TracedExchange[] = [];
  const telemetry: Pick<Telemetry, 'exchange'> = {
    exchange: (name, parent) => {
      order.push(`${name} in ${parent?.traceparent ?? 'no trace'}`);
      return { traceparent: OWN, end: (exchange) => void ended.push(exchange) };
    },
  };
  const attempt = new DeliveryAttempt(
    { requireOthers },
    bodies,
    signer,
    client,
    recorder,
    () => 'syn_1',
    telemetry,
    options,
  );
  const run = (given = {}) => attempt.run(aClaimedDelivery(given), ofWorker);
  return { run, order, closings, requests, signings, ended };
}

describe('an attempt', () => {
  it('takes the signature that was made while its body was, and makes one where none was', async () => {
    const { run, order, requests } = stage({});
    await run({ payload: null });
    expect(order).toContain('signed');
    const watched = stage({ watched: true });
    await watched.run({ payload: null });
    expect(watched.order).not.toContain('signed');
    expect(requests[0]?.headers).toMatchObject({ 'X-MT-Signature': 'sha256=…' });
    expect(watched.requests[0]?.headers).toMatchObject({ 'X-MT-Signature': 'made while the body was' });
  });

  it('is on record before its request leaves, and after its answer came', async () => {
    const { run, order, closings, requests } = stage({});
    expect(await run()).toEqual({ status: 'DELIVERED', reason: null, waitMs: null, spendsRetry: false });
    expect(order).toEqual(['signed', 'opened', 'data_sinks.attempt in no trace', 'posted', 'closed']);
    expect(requests[0]).toMatchObject({
      url: 'https://receiver.example.com/results',
      headers: {
        'X-MT-Delivery-Id': 'dlv_1',
        'X-MT-Attempt': '3',
        'X-MT-Signature': 'sha256=…',
        'Content-Type': 'application/json',
      },
      customHeaders: [{ name: 'X-Environment', value: 'production' }],
      body: { bytes: 8 },
    });
    expect(closings[0]).toMatchObject({
      status: 'SUCCEEDED',
      httpStatus: 200,
      timings: TIMINGS,
      answerExcerpt: 'said',
      ownFailure: false,
    });
  });

  it.each([
    ['a 503', status(503), 'HTTP_5XX', { status: 'RETRYING', waitMs: 5_000, spendsRetry: true }],
    ['a 503 with Retry-After', status(503, 60_000), 'HTTP_5XX', { status: 'RETRYING', waitMs: 60_000 }],
    ['a 404', status(404), 'HTTP_4XX', { status: 'FAILED', reason: 'not_retryable' }],
    ['a 429 that the sink wants retried', status(429), 'HTTP_4XX', { status: 'RETRYING', spendsRetry: true }],
    ['a redirect', status(302), 'HTTP_3XX', { status: 'FAILED', reason: 'not_retryable' }],
    [
      'a timeout',
      answering({ kind: 'failed', errorCode: 'response_timeout' }),
      'TIMEOUT',
      { status: 'RETRYING', spendsRetry: true },
    ],
    [
      'our resolver away',
      answering({ kind: 'failed', errorCode: 'resolver_unavailable' }),
      'NETWORK_ERROR',
      { status: 'RETRYING', spendsRetry: false },
    ],
  ])('that ends with %s is recorded as such', async (_what, post, attemptStatus, plan) => {
    const { run, closings } = stage({ post });
    expect(await run()).toMatchObject(plan);
    expect(closings[0]).toMatchObject({ status: attemptStatus, plan });
  });

  it('is not sent when the lease was lost meanwhile', async () => {
    const { run, order } = stage({ opened: false });
    expect(await run()).toBeNull();
    expect(order).toEqual(['signed', 'opened']);
  });

  it('that cannot be opened is not sent, and the delivery waits as after any failure of our own', async () => {
    const { run, order } = stage({ opened: new Error('no space left on device') });
    expect(await run({ ownFailures: 1 })).toEqual({
      ...{ status: 'RETRYING', reason: null, waitMs: 30_000, spendsRetry: false },
    });
    expect(order).toEqual(['signed', 'opened', 'given back: dlv_1, for 30000 ms']);
    expect(lines).toEqual([
      {
        ...{ event: 'delivery.not_opened', deliveryId: 'dlv_1', retryInMs: 30_000 },
        error: 'Error: no space left on device',
      },
    ]);
  });

  it('that cannot be opened plans nothing for a delivery that is another worker’s by now', async () => {
    const { run } = stage({ opened: new Error('terminated'), givenBack: false });
    expect(await run()).toBeNull();
  });

  it('that can neither be opened nor given back is left to the sweeper', async () => {
    const { run } = stage({ opened: new Error('terminated'), givenBack: new Error('database away') });
    await expect(run()).rejects.toThrow('database away');
  });

  it('whose result came too late plans nothing, and says so in the log', async () => {
    const { run } = stage({ recorded: false });
    expect(await run()).toBeNull();
    expect(lines).toEqual([expect.objectContaining({ event: 'delivery.attempted', recorded: false })]);
  });

  it.each([
    ['this process is stopped', new AttemptAbortedError('shutdown'), 'shutdown', 0],
    ['the lease is lost', new AttemptAbortedError('lease_lost'), 'worker_lost', 5_000],
    ['our own code fails', new Error('bug'), 'internal_error', 5_000],
  ])('that breaks off because %s is ABANDONED and free', async (_what, error, errorCode, waitMs) => {
    const { run, closings } = stage({ post: () => Promise.reject(error) });
    expect(await run()).toEqual({ status: 'RETRYING', reason: null, waitMs, spendsRetry: false });
    expect(closings[0]).toMatchObject({ status: 'ABANDONED', errorCode, httpStatus: null, ownFailure: true });
  });

  it('says in its request and its log line which part of the job it carries', async () => {
    const { run, requests } = stage({});
    await run({ recipe: 'CSV;gzip;rows=500;part=3/12' });
    expect(requests[0]?.headers).toMatchObject({
      'Content-Type': 'text/csv; charset=utf-8; header=present',
      'Content-Encoding': 'gzip',
      'X-MT-Part': '3/12',
      'X-MT-Job-Id': 'job_1',
    });
    expect(lines).toEqual([expect.objectContaining({ event: 'delivery.attempted', part: '3/12' })]);
  });

  it('leaves one line in the log, with neither body, nor answer, nor signature', async () => {
    const { run } = stage({});
    await run();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      event: 'delivery.attempted',
      deliveryId: 'dlv_1',
      attemptId: 'syn_1',
      attemptNumber: 3,
      status: 'SUCCEEDED',
      httpStatus: 200,
      deliveryStatus: 'DELIVERED',
      recorded: true,
    });
    expect(JSON.stringify(lines)).not.toMatch(/said|the body|sha256=|production/);
  });
});

describe('the trace of an attempt', () => {
  const traceContext = { traceparent: `00-${'a'.repeat(32)}-${'c'.repeat(16)}-01` };
  const { sink } = aClaimedDelivery();

  it('goes on with the job’s, and ends with how the attempt ended', async () => {
    const { run, order, requests, ended } = stage({ post: status(503) });
    await run({ traceContext });
    expect(order).toContain(`data_sinks.attempt in ${traceContext.traceparent}`);
    expect(requests[0]?.headers).not.toHaveProperty('traceparent');
    expect(ended).toEqual([
      {
        ...{ deliveryId: 'dlv_1', dataSourceId: 'ads_1', jobId: 'job_1', attemptNumber: 3, totalMs: 15 },
        ...{ status: 'HTTP_5XX', errorCode: 'receiver_error', httpStatus: 503 },
      },
    ]);
  });

  it('is told to the receiver where the sink asks for it', async () => {
    const { run, requests } = stage({});
    await run({ traceContext, sink: sink && { ...sink, config: { ...sink.config, sendTraceparent: true } } });
    expect(requests[0]?.headers).toHaveProperty('traceparent', OWN);
  });

  it('ends also when its result cannot be written', async () => {
    const { run, ended } = stage({ recorded: new Error('database away') });
    await expect(run()).rejects.toThrow('database away');
    expect(ended).toMatchObject([{ status: 'SUCCEEDED' }]);
  });
});

it('the secret before signs too while its overlap lasts', async () => {
  const previousSecret = { secretId: 'sec_0', expiresAt: new Date(0) };
  const { run, signings } = stage({});
  const { sink } = aClaimedDelivery();
  await run({ sink: sink && { ...sink, previousSecret } });
  expect(signings).toMatchObject([{ secret: { secretId: 'sec_1', workspaceId: 'ws_1' }, previousSecret }]);
});

describe('a delivery of which nothing can be sent', () => {
  const lease = { id: 'dlv_1', leaseToken: aClaimedDelivery().leaseToken };
  it.each([
    [
      'its results are gone',
      new ResultsMissingError('gone'),
      { ending: { ...lease, status: 'FAILED', reason: 'results_missing' } },
    ],
    [
      'a row is not valid',
      new InvalidResultRowError('row'),
      { ending: { ...lease, status: 'FAILED', reason: 'results_invalid' } },
    ],
    [
      'another worker makes its body',
      new PayloadBeingBuiltError('wait'),
      { release: { ...lease, waitMs: 500, ownFailure: false } },
    ],
    [
      'its job would be too many parts',
      new TooManyPartsError(1_001),
      { ending: { ...lease, status: 'FAILED', reason: 'too_many_parts' } },
    ],
    ['something of ours is away', new Error('vault away'), { release: { ...lease, waitMs: 30_000, ownFailure: true } }],
  ])('since %s has no attempt on record, and spends nothing', async (_what, error, expected) => {
    const { run, order } = stage({ obtain: () => Promise.reject(error) });
    expect(await run({ ownFailures: 1 })).toEqual(expected);
    expect(order).toEqual([]);
  });

  it.each([
    [
      'another part was not delivered',
      new PartsIncompleteError('part 2'),
      { ending: { ...lease, status: 'FAILED', reason: 'parts_incomplete' } },
    ],
    [
      'other parts are under way',
      new PartsUnderWayError('part 2'),
      { release: { ...lease, waitMs: null, ownFailure: false } },
    ],
  ])('since %s has its body not even looked for', async (_what, error, expected) => {
    const obtain = () => Promise.reject(new Error('nobody asks'));
    const { run, order } = stage({ parts: () => Promise.reject(error), obtain });
    expect(await run()).toEqual(expected);
    expect(order).toEqual([]);
  });
});
