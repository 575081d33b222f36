import { describe, expect, it } from '@jest/globals';
import { expectStatus, type Sink } from '../support/platform/customer.js';
import type { Body } from '../support/platform/api-client.js';
import type { ReceiverStep } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const DEADLINE_MS = 1_000;

const platform = suitePlatform({
  options: {
    deadlines: { dnsMs: DEADLINE_MS, responseHeadersMs: DEADLINE_MS, responseBodyMs: DEADLINE_MS },
    resolver: async (name) => {
      if (name === 'inside.acme.com') return [{ address: '10.0.0.5', family: 4 }];
      if (name === 'loopback-six.acme.com') return [{ address: '::1', family: 6 }];
      if (name === 'public.acme.com') return [{ address: '93.184.216.34', family: 4 }];
      throw Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    },
  },
});

/** A sink of a draft agent without rules: nothing but the Test button works there. */
async function draftSink(url: string, more = {}): Promise<Sink> {
  return (await (await platform().customer()).draftAgent()).sink(url, more);
}

async function pressTest(sink: Sink): Promise<Body> {
  return expectStatus(await sink.api.post(`${sink.path}/test`), 200);
}

describe('a Test', () => {
  it('is stored with the sink, until the sink is changed', async () => {
    const endpoint = await platform().receiver.endpoint([{ kind: 'answer', status: 500 }, { kind: 'answer' }]);
    const sink = await draftSink(endpoint.url);
    const lastTest = async (): Promise<Body> => (expectStatus(await sink.api.get(sink.path), 200) as Body)['lastTest'];
    expect(await lastTest()).toBeNull();
    await pressTest(sink);
    expect(await lastTest()).toEqual({ passed: false, at: expect.any(String), isCurrent: true });
    await pressTest(sink);
    expect(await lastTest()).toMatchObject({ passed: true, isCurrent: true });
    expectStatus(await sink.api.patch(sink.path, { config: { maxPushesPerSecond: 5 } }), 200);
    expect(await lastTest()).toMatchObject({ passed: true, isCurrent: false });
  });

  it('sends a synthetic payload of the real shape, marked as a test', async () => {
    const endpoint = await platform().receiver.endpoint();
    const sink = await draftSink(endpoint.url);
    const { sent } = await pressTest(sink);
    const { body, method, headers } = await endpoint.first();
    expect(method).toBe('POST');
    expect(sent.body).toBe(body);
    const payload = JSON.parse(body ?? '') as Body;
    expect(Object.keys(payload)).toEqual([
      'jobId',
      'agentId',
      'workspaceId',
      'completedAt',
      'stats',
      'results',
      'test',
    ]);
    expect(payload).toMatchObject({
      jobId: expect.stringMatching(/^job_.*TEST$/),
      agentId: sink.agent.id,
      workspaceId: sink.agent.customer.workspaceId,
      stats: { total: 2, matched: 1, unmatched: 1 },
      test: true,
    });
    expect(payload.results).toEqual([
      {
        partnerRowId: expect.stringMatching(/TEST$/),
        referenceHotelId: expect.stringMatching(/TEST$/),
        matchMethod: 'STANDARD',
        matchConfidence: null,
      },
      {
        partnerRowId: expect.stringMatching(/TEST$/),
        referenceHotelId: null,
        matchMethod: null,
        matchConfidence: null,
      },
    ]);
    expect(headers).toMatchObject({ 'x-mt-delivery-id': expect.stringMatching(/^dlv_.*TEST$/), 'x-mt-attempt': '1' });
  });

  it('is signed like a real push, and returns the request and the response', async () => {
    const value = 'the customer’s secret, long enough';
    const answer = { kind: 'answer', status: 202, headers: { 'X-Request-Id': 'abc' }, body: 'thank you' } as const;
    const endpoint = await platform().receiver.endpoint([answer], value);
    const result = await pressTest(await draftSink(endpoint.url, { secret: { value } }));
    const { signatureIsValid, headers } = await endpoint.first();
    expect(signatureIsValid).toBe(true);
    expect(result).toMatchObject({
      ...{ passed: true, status: 'SUCCEEDED', errorCode: null, failedStep: null, advice: null },
      timings: { totalMs: expect.any(Number), waitMs: expect.any(Number) },
      sent: { method: 'POST', url: endpoint.url, headers: { 'X-MT-Signature': headers['x-mt-signature'] } },
      received: { httpStatus: 202, excerpt: 'thank you', ending: 'complete' },
    });
    expect(result.received.headers).toContainEqual(['X-Request-Id', 'abc']);
    expect(result.sent.headers).toMatchObject({
      'User-Agent': headers['user-agent'],
      'Content-Length': headers['content-length'],
    });
  });

  it.each([
    ['Bearer', 'Bearer a-long-token-of-the-customer', 'Bearer ****', 'a-long-token-of-the-customer'],
    ['Basic', `Basic ${Buffer.from('user:pass-word').toString('base64')}`, 'Basic ****', 'user:pass-word'],
  ])('sends a %s credential and does not show it', async (authScheme, arrives, shown, value) => {
    const endpoint = await platform().receiver.endpoint();
    platform().keepSecret(arrives);
    const sink = await draftSink(endpoint.url, { config: { url: endpoint.url, authScheme }, secret: { value } });
    const { sent } = await pressTest(sink);
    expect((await endpoint.first()).headers['authorization']).toBe(arrives);
    expect(sent.headers.Authorization).toBe(shown);
  });

  it('works with an active agent, creates no delivery and no attempt, and is one audit entry', async () => {
    const endpoint = await platform().receiver.endpoint();
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(endpoint);
    await pressTest(sink);
    expect(await sink.deliveries()).toEqual([]);
    expect(await sink.syncs()).toEqual([]);
    const lines = await platform().sql(
      'SELECT action, actor_type, agent_id, delivery_id, details FROM agent_data_source_audit WHERE data_source_id = $1 ORDER BY id',
      [sink.id],
    );
    expect(lines).toMatchObject([
      { action: 'DATA_SINK_CREATED' },
      {
        ...{ action: 'DATA_SINK_TESTED', actor_type: 'token', agent_id: agent.id, delivery_id: null },
        details: { passed: true, status: 'SUCCEEDED', httpStatus: 200 },
      },
    ]);
  });

  it('is limited to six per minute and sink, and says when to retry', async () => {
    const sink = await draftSink((await platform().receiver.endpoint()).url);
    const other = await sink.agent.sink(await platform().receiver.endpoint());
    for (let i = 0; i < 6; i++) await pressTest(sink);
    const answer = await sink.api.post(`${sink.path}/test`);
    expect(expectStatus(answer, 429)).toMatchObject({
      type: 'https://mapping.travel/errors/rate-limited',
      status: 429,
    });
    const retryAfter = Number(answer.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    expect(retryAfter).toBeLessThanOrEqual(60);
    // Nor does impatience use up the tests of the workspace.
    for (let i = 0; i < 30; i++) expectStatus(await sink.api.post(`${sink.path}/test`), 429);
    await pressTest(other);
  });
});

describe('a Test that fails names the step and gives advice', () => {
  const answers: readonly (readonly [string, ReceiverStep, string, string, string])[] = [
    ['401', { kind: 'answer', status: 401 }, 'response', 'HTTP_4XX', 'rejected_by_receiver'],
    [
      '302',
      { kind: 'answer', status: 302, headers: { Location: 'http://127.0.0.1/' } },
      'response',
      'HTTP_3XX',
      'redirect_refused',
    ],
    ['503', { kind: 'answer', status: 503 }, 'response', 'HTTP_5XX', 'receiver_error'],
    ['no answer', { kind: 'hang' }, 'response', 'TIMEOUT', 'response_timeout'],
    ['no HTTP', { kind: 'garbage' }, 'response', 'NETWORK_ERROR', 'invalid_http_response'],
    ['a reset', { kind: 'reset' }, 'request', 'NETWORK_ERROR', 'connection_reset'],
  ];

  it.each(answers)('%s', async (_name, step, failedStep, status, errorCode) => {
    const endpoint = await platform().receiver.endpoint([step]);
    const result = await pressTest(await draftSink(endpoint.url));
    expect(result).toMatchObject({
      passed: false,
      failedStep,
      status,
      errorCode,
      advice: expect.stringMatching(/\.$/),
    });
    expect(endpoint.requests).toHaveLength(1);
  });

  it.each([
    ['a port where nobody listens', 'http://127.0.0.1:1/', 'connect', 'NETWORK_ERROR', 'connection_refused'],
    ['a name that does not exist', 'https://no-such-name.acme.com/', 'dns', 'NETWORK_ERROR', 'dns_not_found'],
    ['an address inside our network', 'https://inside.acme.com/', 'address', 'BLOCKED', 'address_refused'],
    ['another address inside our network', 'https://loopback-six.acme.com/', 'address', 'BLOCKED', 'address_refused'],
    ['plain http to a public host', 'http://public.acme.com/', 'url', 'BLOCKED', 'url_refused'],
  ])('%s', async (_name, url, failedStep, status, errorCode) => {
    const sink = await draftSink('https://public.acme.com/');
    await sink.nowLeadsTo(url);
    const result = await pressTest(sink);
    expect(result).toMatchObject({ passed: false, failedStep, status, errorCode, received: null });
    expect(result.advice).toMatch(/\.$/);
    expect(JSON.stringify(result)).not.toMatch(/10\.0\.0\.5|::1/);
  });

  it('a port that does not speak TLS', async () => {
    const { port } = platform().receiver;
    const result = await pressTest(await draftSink(`https://127.0.0.1:${port}/`));
    expect(result).toMatchObject({ passed: false, failedStep: 'tls', status: 'TLS_ERROR', received: null });
  });
});
