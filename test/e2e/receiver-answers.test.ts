import { describe, expect, it } from '@jest/globals';
import type { Body } from '../support/platform/api-client.js';
import type { Sink } from '../support/platform/customer.js';
import type { Endpoint, ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const DEADLINE_MS = 1_000;

function systemError(code: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code}`), { code });
}

/** The names of this suite's internet. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'inside.acme.com': ['10.0.0.5'],
  'half-inside.acme.com': ['93.184.216.34', '192.168.1.1'],
  'metadata.acme.com': ['169.254.169.254'],
  'public.acme.com': ['93.184.216.34'],
  'empty.acme.com': [],
};

const platform = suitePlatform({
  options: {
    deadlines: {
      dnsMs: DEADLINE_MS,
      responseHeadersMs: DEADLINE_MS,
      responseBodyMs: DEADLINE_MS,
      uploadIdleMs: DEADLINE_MS,
    },
    resolver: async (name) => {
      if (name === 'silent.acme.com') return new Promise(() => undefined);
      if (name === 'our-resolver-is-down.acme.com') throw systemError('EAI_AGAIN');
      if (name === 'broken-zone.acme.com') throw systemError('ESERVFAIL');
      const addresses = NAMES[name];
      if (!addresses) throw systemError('ENOTFOUND');
      return addresses.map((address) => ({ address, family: 4 as const }));
    },
  },
});

/** Pushes one job with one retry. */
async function pushTo(endpoint: Endpoint | string, config = {}): Promise<{ sink: Sink; delivery: Body }> {
  const sink = await sinkAt(endpoint, config);
  return { sink, delivery: await sink.settledPush() };
}

async function sinkAt(endpoint: Endpoint | string, config = {}): Promise<Sink> {
  const agent = await (await platform().customer()).agent({ retry_failed_push: 1 });
  const url = typeof endpoint === 'string' ? endpoint : endpoint.url;
  return agent.sink(url, { config: { url, authScheme: 'HmacSha256', ...config } });
}

describe('a 4xx response is final', () => {
  it.each([400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 425, 429, 451, 499])(
    '%i is never retried',
    async (status) => {
      const endpoint = await platform().receiver.endpoint([{ kind: 'answer', status }]);
      const { delivery } = await pushTo(endpoint);
      expect(delivery).toMatchObject({ status: 'FAILED', reason: 'not_retryable', attemptCount: 1, retriesSpent: 0 });
      expect(delivery.attempts).toMatchObject([
        { status: 'HTTP_4XX', errorCode: 'rejected_by_receiver', httpStatus: status },
      ]);
      expect(endpoint.requests).toHaveLength(1);
    },
  );

  it.each([408, 425, 429])('%i is retried when the sink names it', async (status) => {
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer', status }, { kind: 'answer' }]);
    const { delivery } = await pushTo(endpoint, { retryableStatuses: [status] });
    expect(delivery).toMatchObject({ status: 'DELIVERED', attemptCount: 2, retriesSpent: 1 });
  });

  it('and retrying one of the three does not retry the others', async () => {
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer', status: 408 }]);
    const { delivery } = await pushTo(endpoint, { retryableStatuses: [429] });
    expect(delivery).toMatchObject({ status: 'FAILED', reason: 'not_retryable', attemptCount: 1 });
  });
});

describe('a redirect', () => {
  it.each([300, 301, 302, 303, 304, 307, 308])('%i is final and never followed', async (status) => {
    const elsewhere = await platform().receiver.endpoint();
    const endpoint = await platform().receiver.endpoint([
      { kind: 'answer', status, headers: { Location: elsewhere.url }, body: '' },
    ]);
    const { delivery } = await pushTo(endpoint);
    expect(delivery).toMatchObject({ status: 'FAILED', reason: 'not_retryable', attemptCount: 1 });
    expect(delivery.attempts).toMatchObject([
      { status: 'HTTP_3XX', errorCode: 'redirect_refused', httpStatus: status },
    ]);
    expect(elsewhere.requests).toEqual([]);
  });
});

describe('a success', () => {
  it.each([200, 201, 202, 204, 299])('is any 2xx, such as %i', async (status) => {
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer', status, body: '' }]);
    const { delivery } = await pushTo(endpoint);
    expect(delivery).toMatchObject({ status: 'DELIVERED', attempts: [{ status: 'SUCCEEDED', httpStatus: status }] });
  });

  it('needs only the status: of a response of 1 GB we read 16 KB and close', async () => {
    const endpoint = await platform().receiver.endpoint([{ kind: 'flood', bytes: 2 ** 30 }]);
    const { delivery } = await pushTo(endpoint);
    expect(delivery).toMatchObject({ status: 'DELIVERED', attempts: [{ status: 'SUCCEEDED', answerEnding: 'cap' }] });
    expect(delivery.attempts[0].answerExcerpt).toHaveLength(16_384);
  });
});

describe('a temporary failure is retried, and recorded by its code', () => {
  const failures: readonly (readonly [string, ReceiverStep, string, string])[] = [
    ['500', { kind: 'answer', status: 500 }, 'HTTP_5XX', 'receiver_error'],
    ['502', { kind: 'answer', status: 502 }, 'HTTP_5XX', 'receiver_error'],
    ['504', { kind: 'answer', status: 504 }, 'HTTP_5XX', 'receiver_error'],
    ['599', { kind: 'answer', status: 599 }, 'HTTP_5XX', 'receiver_error'],
    ['no answer at all', { kind: 'hang' }, 'TIMEOUT', 'response_timeout'],
    ['an answer that comes too late', { kind: 'answer', delayMs: DEADLINE_MS * 3 }, 'TIMEOUT', 'response_timeout'],
    ['an answer that never ends its headers', { kind: 'slow-headers' }, 'TIMEOUT', 'response_timeout'],
    ['a reset connection', { kind: 'reset' }, 'NETWORK_ERROR', 'connection_reset'],
    ['a connection closed without a word', { kind: 'close' }, 'NETWORK_ERROR', 'connection_reset'],
    ['an answer that is not HTTP', { kind: 'garbage' }, 'NETWORK_ERROR', 'invalid_http_response'],
  ];

  it.each(failures)('%s', async (_name, step, status, errorCode) => {
    const endpoint = await platform().receiver.endpoint([step, { kind: 'answer' }]);
    // One that is cut when it is used again costs no retry.
    await platform().receiver.dropIdle();
    const { delivery } = await pushTo(endpoint);
    expect(delivery).toMatchObject({ status: 'DELIVERED', attemptCount: 2, retriesSpent: 1 });
    expect(delivery.attempts).toMatchObject([
      { status: 'SUCCEEDED' },
      { status, errorCode, advice: expect.stringMatching(/\.$/), finishedAt: expect.any(String) },
    ]);
    const [first, second] = endpoint.requests;
    expect(first?.sha256).toBe(second?.sha256);
  });

  it.each([
    ['nobody listening', 'http://127.0.0.1:1/', 'NETWORK_ERROR', 'connection_refused'],
    ['a name that does not exist', 'https://no-such-name.acme.com/', 'NETWORK_ERROR', 'dns_not_found'],
    ['a name without addresses', 'https://empty.acme.com/', 'NETWORK_ERROR', 'dns_not_found'],
    ['a name whose servers do not answer', 'https://silent.acme.com/', 'TIMEOUT', 'dns_timeout'],
  ])('%s', async (_name, url, status, errorCode) => {
    const { delivery } = await pushTo(url);
    expect(delivery).toMatchObject({ status: 'FAILED', reason: 'retries_exhausted', attemptCount: 2 });
    expect(delivery.attempts).toMatchObject([
      { status, errorCode, httpStatus: null },
      { status, errorCode },
    ]);
  });
});

describe('a permanent failure is final', () => {
  it.each([
    ['a name inside our network', 'https://inside.acme.com/'],
    ['a name of which one address is inside', 'https://half-inside.acme.com/'],
    ['a name that is the cloud’s metadata server', 'https://metadata.acme.com/'],
  ])('%s is refused, with the same text each time', async (_name, url) => {
    const sink = await sinkAt('https://public.acme.com/');
    await sink.nowLeadsTo(url);
    const delivery = await sink.settledPush();
    expect(delivery).toMatchObject({ status: 'FAILED', reason: 'not_retryable', attemptCount: 1 });
    expect(delivery.attempts).toMatchObject([
      {
        ...{ status: 'BLOCKED', errorCode: 'address_refused', answerExcerpt: null },
        advice:
          'The address of this endpoint is not one that results may be sent to. Use a host with public addresses only.',
      },
    ]);
  });

  it('plain http to a public host is refused, even with development ranges open', async () => {
    const sink = await sinkAt('https://public.acme.com/');
    await sink.nowLeadsTo('http://public.acme.com/');
    const delivery = await sink.settledPush();
    expect(delivery.attempts).toMatchObject([{ status: 'BLOCKED', errorCode: 'url_refused' }]);
    expect(delivery).toMatchObject({ status: 'FAILED', attemptCount: 1 });
  });
});

describe('a name whose DNS servers are broken', () => {
  it('fails its deliveries while other names resolve', async () => {
    const sink = await sinkAt('https://broken-zone.acme.com/');
    await sinkAt('https://public.acme.com/');
    const delivery = await sink.settledPush();
    expect(delivery).toMatchObject({ status: 'FAILED', reason: 'retries_exhausted', attemptCount: 2, retriesSpent: 1 });
    expect(delivery.attempts).toMatchObject([{ errorCode: 'dns_not_found' }, { errorCode: 'dns_not_found' }]);
  });
});

describe('our own failures', () => {
  it('never use the customer’s retries', async () => {
    const agent = await (await platform().customer()).agent({ retry_failed_push: 0 });
    const sink = await agent.sink('https://our-resolver-is-down.acme.com/');
    const { id } = await sink.deliveryOf(await agent.finishJob());
    const isTriedAgain = ({ attemptCount }: Body): boolean => attemptCount >= 3;
    const delivery = await agent.customer.deliveryWhen(id, isTriedAgain, 'it was tried three times');
    expect(delivery).toMatchObject({ retriesAllowed: 0, retriesSpent: 0, settledAt: null });
    expect(delivery.attempts.at(-1)).toMatchObject({ status: 'NETWORK_ERROR', errorCode: 'resolver_unavailable' });
    await sink.api.delete(sink.path);
  });
});
