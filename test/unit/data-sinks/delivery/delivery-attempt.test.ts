import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ExchangeResult } from '../../../../src/data-sinks/domain/attempt-outcome.js';
import { InvalidResultsError } from '../../../../src/data-sinks/domain/body/result-row.js';
import type { PushClient } from '../../../../src/data-sinks/egress/push-client.js';
import type { PushRequest } from '../../../../src/data-sinks/egress/push-exchange.js';
import type { PayloadBodies } from '../../../../src/data-sinks/payload/payload-bodies.js';
import {
  PayloadBeingBuiltError,
  ResultsMissingError,
  TooManyPartsError,
} from '../../../../src/data-sinks/payload/payload-errors.js';
import type { AttemptClosing } from '../../../../src/data-sinks/domain/attempt-end.js';
import { AttemptAbortedError } from '../../../../src/data-sinks/queue/attempt-aborted.error.js';
import type { AttemptEnd } from '../../../../src/data-sinks/domain/attempt-end.js';
import type { AttemptRecorder } from '../../../../src/data-sinks/delivery/attempt-recorder.js';
import { DeliveryAttempt } from '../../../../src/data-sinks/delivery/delivery-attempt.js';
import { PartsIncompleteError, PartsUnderWayError } from '../../../../src/data-sinks/settlement/delivery-parts.js';
import { Destinations } from '../../../../src/data-sinks/destinations/destinations.js';
import { HttpsWebhookDestination } from '../../../../src/data-sinks/destinations/https-webhook/https-webhook.destination.js';
import type { PushSigner, SigningRequest } from '../../../../src/data-sinks/destinations/https-webhook/push-signer.js';
import type { SecretsInForce, SecretsOfSink } from '../../../../src/data-sinks/vault/secrets-in-force.js';
import type { TracedExchange } from '../../../../src/data-sinks/telemetry/exchange-span.js';
import type { Telemetry } from '../../../../src/data-sinks/telemetry/telemetry.js';
import type { DataSink } from '../../../../src/data-sinks/domain/data-sink.js';
import { aClaimedDelivery } from './claimed.js';
import { stub } from '../../../support/stub.js';
import { newOutages } from '../../../support/outages.js';

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
  /** How often its body turns out to be stored by another process, in bytes of its own. */
  readonly taken?: number;
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
    taken = 0,
    givenBack = true,
    recorded = true,
    post = status(200),
  } = given;
  const ofWorker = new AbortController().signal;
  const order: string[] = [];
  let stillTaken = taken;
  const closings: AttemptClosing[] = [];
  const requests: PushRequest[] = [];
  const body = { payload: PAYLOAD, whole: Buffer.from('the body'), open: () => [] as never };
  const bodies = {
    obtain:
      obtain ??
      (async (_delivery: unknown, watch: unknown) => ({
        ...{ ...body, watchedBy: watched ? watch : null, unstored: stillTaken > 0 ? {} : null },
      })),
    settle: () => undefined,
  } as unknown as PayloadBodies;
  const asked: SecretsOfSink[] = [];
  const secrets: Pick<SecretsInForce, 'open'> = {
    open: async (wanted) => (asked.push(wanted), { current: 'secret', previous: null, nowMs: 0 }),
  };
  const signer = {
    watch: () => ({ headers: () => ({ 'X-MT-Signature': 'made while the body was' }) }),
    sign: async (request: SigningRequest) => {
      order.push('signed');
      await request.secrets();
      return { 'X-MT-Signature': 'sha256=…' };
    },
  } as unknown as PushSigner;
  const client = {
    post: (request: PushRequest) => (order.push('posted'), requests.push(request), post(request)),
  } as unknown as PushClient;
  const recorder = {
    open: async ({ attemptId, deliveryId }: { attemptId: string; deliveryId: string }) => {
      order.push('opened');
      if (opened instanceof Error) throw opened;
      if (stillTaken-- > 0) return null;
      return opened ? { attemptId, deliveryId, attemptNumber: 3, startedAt: new Date(0) } : null;
    },
    giveBack: async ({ id }: { id: string }, waitMs: number, signal: unknown) => {
      order.push(`given back: ${id}, for ${waitMs} ms${signal === ofWorker ? '' : ', whatever is stopped'}`);
      if (givenBack instanceof Error) throw givenBack;
      return givenBack;
    },
    during: () => ({}),
    close: async ({ closing }: AttemptEnd) => {
      order.push('closed');
      closings.push(closing);
      if (recorded instanceof Error) throw recorded;
      return recorded;
    },
  } as unknown as AttemptRecorder;
  const requireOthers = parts ?? (async () => undefined);
  const ended: TracedExchange[] = [];
  const telemetry: Pick<Telemetry, 'exchange'> = {
    exchange: (name, parent) => {
      order.push(`${name} in ${parent?.traceparent ?? 'no trace'}`);
      return { traceparent: OWN, end: (exchange) => void ended.push(exchange) };
    },
  };
  const webhook = new HttpsWebhookDestination(signer, client, stub({}), stub({}), { allowedPorts: [443] });
  const attempt = new DeliveryAttempt(
    stub({ requireOthers }),
    bodies,
    new Destinations([webhook]),
    stub(secrets),
    recorder,
    () => 'syn_1',
    stub(telemetry),
    newOutages(),
    stub({ retryWaitsMs: [5_000, 30_000, 300_000] }),
    () => 0,
  );
  const run = (given = {}) => attempt.run(aClaimedDelivery(given), ofWorker);
  return { run, order, closings, requests, asked, ended };
}

describe('an attempt', () => {
  it('uses the signature computed while the body was built, or signs the body', async () => {
    const { run, order, requests } = stage({});
    await run({ payload: null });
    expect(order).toContain('signed');
    const watched = stage({ watched: true });
    await watched.run({ payload: null });
    expect(watched.order).not.toContain('signed');
    expect(requests[0]?.headers).toMatchObject({ 'X-MT-Signature': 'sha256=…' });
    expect(watched.requests[0]?.headers).toMatchObject({ 'X-MT-Signature': 'made while the body was' });
  });

  it('is recorded before its request is sent and after the response', async () => {
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

  it('that cannot be opened is not sent, and the delivery is retried as after our own failure', async () => {
    const { run, order } = stage({ opened: new Error('no space left on device') });
    // The first of an outage finds out sooner whether it is over.
    await run();
    order.length = 0;
    expect(await run({ ownFailures: 1 })).toEqual({
      ...{ status: 'RETRYING', reason: null, waitMs: 30_000, spendsRetry: false },
    });
    expect(order).toEqual(['signed', 'opened', 'given back: dlv_1, for 30000 ms']);
    expect(lines).toEqual([
      expect.objectContaining({
        ...{ event: 'delivery.not_opened', deliveryId: 'dlv_1', kind: 'internal' },
        error: 'Error: no space left on device',
      }),
    ]);
  });

  it('that cannot be opened plans nothing for a delivery that another worker has claimed', async () => {
    const { run } = stage({ opened: new Error('terminated'), givenBack: false });
    expect(await run()).toBeNull();
  });

  it('whose body was stored by another process meanwhile sends that one', async () => {
    const { run, order } = stage({ taken: 1 });
    expect(await run({ payload: null })).toMatchObject({ status: 'DELIVERED' });
    expect(order.filter((step) => ['opened', 'posted'].includes(step))).toEqual(['opened', 'opened', 'posted']);
  });

  it('that was handed over and is not opened is given back at once: its sink may have changed since', async () => {
    const { run, order } = stage({ opened: false });
    expect(await run({ handedOver: true })).toEqual({
      release: { id: 'dlv_1', leaseToken: aClaimedDelivery().leaseToken, waitMs: 0, ownFailure: false },
    });
    expect(order).not.toContain('posted');
  });

  it('that can neither be opened nor released is left to the sweeper', async () => {
    const { run } = stage({ opened: new Error('terminated'), givenBack: new Error('database away') });
    await expect(run()).rejects.toThrow('database away');
  });

  it('whose result comes too late plans nothing, and logs it', async () => {
    const { run } = stage({ recorded: false });
    expect(await run()).toBeNull();
    expect(lines).toEqual([expect.objectContaining({ event: 'delivery.attempted', recorded: false })]);
  });

  it.each([
    ['this process is stopped', new AttemptAbortedError('shutdown'), 'shutdown', 0],
    ['the lease is lost', new AttemptAbortedError('lease_lost'), 'worker_lost', 5_000],
    ['our own code fails', new Error('bug'), 'internal_error', 5_000],
  ])('that is aborted because %s is ABANDONED and uses no retry', async (_what, error, errorCode, waitMs) => {
    const { run, closings } = stage({ post: () => Promise.reject(error) });
    expect(await run()).toEqual({ status: 'RETRYING', reason: null, waitMs, spendsRetry: false });
    expect(closings[0]).toMatchObject({ status: 'ABANDONED', errorCode, httpStatus: null, ownFailure: true });
  });

  it('names the part of the job in its request and its log line', async () => {
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

  it('writes one log line without body, response or signature', async () => {
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

  it('continues the job’s trace, and its span ends with the outcome', async () => {
    const { run, order, requests, ended } = stage({ post: status(503) });
    await run({ traceContext });
    expect(order).toContain(`data_sinks.attempt in ${traceContext.traceparent}`);
    expect(requests[0]?.headers).not.toHaveProperty('traceparent');
    expect(ended).toEqual([
      {
        ...{ deliveryId: 'dlv_1', workspaceId: 'ws_1', dataSourceId: 'ads_1', jobId: 'job_1' },
        ...{ attemptNumber: 3, totalMs: 15 },
        ...{ status: 'HTTP_5XX', errorCode: 'receiver_error', httpStatus: 503 },
      },
    ]);
  });

  it('is passed to the receiver if the sink requests it', async () => {
    const { run, requests } = stage({});
    await run({
      traceContext,
      sink: sink && { ...sink, config: { ...sink.config, sendTraceparent: true } as DataSink['config'] },
    });
    expect(requests[0]?.headers).toHaveProperty('traceparent', OWN);
  });

  it('ends its span even if the result cannot be written', async () => {
    const { run, ended } = stage({ recorded: new Error('database away') });
    await expect(run()).rejects.toThrow('database away');
    expect(ended).toMatchObject([{ status: 'SUCCEEDED' }]);
  });
});

it('the previous secret also signs during its overlap', async () => {
  const previousSecret = { secretId: 'sec_0', expiresAt: new Date(0) };
  const { run, asked } = stage({});
  const { sink } = aClaimedDelivery();
  await run({ sink: sink && { ...sink, previousSecret } });
  expect(asked).toEqual([{ secret: { secretId: 'sec_1', workspaceId: 'ws_1' }, previousSecret }]);
});

it('a delivery of a type that this host does not offer waits with all its retries, and the log says what to add', async () => {
  const { run, order } = stage({});
  const { sink } = aClaimedDelivery();
  expect(await run({ sink: sink && { ...sink, type: 'S3' } })).toMatchObject({ release: { ownFailure: true } });
  expect(order).toEqual([]);
  expect(lines).toEqual([
    expect.objectContaining({
      event: 'delivery.not_prepared',
      error: expect.stringContaining('no destination of type S3: add it to "destinations"'),
    }),
  ]);
});

describe('a delivery that cannot be sent', () => {
  const lease = { id: 'dlv_1', leaseToken: aClaimedDelivery().leaseToken };
  it.each([
    [
      'its results are gone',
      new ResultsMissingError('gone'),
      { ending: { ...lease, status: 'FAILED', reason: 'results_missing' } },
    ],
    [
      'a row is not valid',
      new InvalidResultsError('row'),
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
  ])('because %s has no attempt row and uses no retry', async (_what, error, expected) => {
    const { run, order } = stage({ obtain: () => Promise.reject(error) });
    await run();
    order.length = 0;
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
  ])('because %s does not load its body', async (_what, error, expected) => {
    const obtain = () => Promise.reject(new Error('nobody asks'));
    const { run, order } = stage({ parts: () => Promise.reject(error), obtain });
    expect(await run()).toEqual(expected);
    expect(order).toEqual([]);
  });
});
