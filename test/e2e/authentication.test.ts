import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { expectStatus, resultRows, sinkBody } from '../support/platform/customer.js';
import { PythonReceiver } from '../support/platform/python-receiver.js';
import type { ReceivedRequest } from '../support/platform/receiver-process.js';
import { suitePlatform } from '../support/platform/suite-platform.js';

const platform = suitePlatform();

/** Pushes a job to a sink with this configuration and secret. */
async function push(config: Readonly<Record<string, unknown>>, value: string): Promise<ReceivedRequest> {
  const endpoint = await platform().receiver.endpoint([{ kind: 'answer' }], value);
  const agent = await (await platform().customer()).agent();
  const sink = await agent.sink(endpoint, { config: { url: endpoint.url, ...config }, secret: { value } });
  expect(await sink.settledPush()).toMatchObject({
    status: 'DELIVERED',
    attempts: [{ authScheme: config['authScheme'] }],
  });
  return endpoint.first();
}

describe('a push authenticates itself', () => {
  it('with a bearer token', async () => {
    const { headers } = await push({ authScheme: 'Bearer' }, 'tok-AbC.123_~+/=');
    expect(headers['authorization']).toBe('Bearer tok-AbC.123_~+/=');
    for (const name of ['x-mt-signature', 'webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      expect(headers).not.toHaveProperty(name);
    }
    expect(headers).toHaveProperty('x-mt-delivery-id');
  });

  it('with a configured user and a password that contains colons', async () => {
    const { headers } = await push({ authScheme: 'Basic', username: 'mapping' }, 'pa:ss wo:rd');
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('mapping:pa:ss wo:rd').toString('base64')}`);
    expect(headers).not.toHaveProperty('x-mt-signature');
  });

  it('with a secret of the form user:password if no user is configured', async () => {
    const { headers } = await push({ authScheme: 'Basic' }, 'mapping:pa:ss');
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('mapping:pa:ss').toString('base64')}`);
  });

  it('with the HMAC of the raw body, using a secret of any characters', async () => {
    const { signatureIsValid, headers } = await push({ authScheme: 'HmacSha256' }, 'Schlüssel “€” + & % = 😀 …');
    expect(signatureIsValid).toBe(true);
    expect(headers['x-mt-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
    expect(headers).not.toHaveProperty('authorization');
  });
});

describe('a generated secret', () => {
  it('is shown once, in the response that created it, and signs the pushes', async () => {
    const agent = await (await platform().customer()).agent();
    const endpoint = await platform().receiver.endpoint();
    const created = expectStatus(await agent.api.post(`${agent.path}/data-sources`, sinkBody(endpoint.url)), 201);
    const { value, hint } = created.secret as { value: string; hint: string };
    expect(value).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(hint).toBe(`****${value.slice(-4)}`);
    expect(created.warnings).toEqual([]);
    // The client fails on any answer that shows it from here on.
    platform().keepSecret(value);
    const path = `${agent.path}/data-sources/${created.id}`;
    expect(expectStatus(await agent.api.get(path), 200).secret).toEqual({ hint, createdAt: created.secret.createdAt });
    expectStatus(await agent.api.get(`${agent.path}/data-sources`), 200);
    expectStatus(await agent.api.patch(path, { name: 'Another name' }), 200);
    await endpoint.does([{ kind: 'answer' }], value);
    await agent.finishJob();
    expect(await endpoint.first()).toMatchObject({ signatureIsValid: true });
  });

  it('is not created if the customer gives a secret', async () => {
    const agent = await (await platform().customer()).agent();
    const body = sinkBody('https://acme.com/', { secret: { value: 'exactly-thirty-two-bytes-long-ok' } });
    expect(expectStatus(await agent.api.post(`${agent.path}/data-sources`, body), 201).secret).toEqual({
      hint: '****g-ok',
      createdAt: expect.any(String),
    });
  });

  it('is recommended when the given secret is short', async () => {
    const agent = await (await platform().customer()).agent();
    const body = sinkBody('https://acme.com/', { secret: { value: '16-bytes-of-text' } });
    const { warnings } = expectStatus(await agent.api.post(`${agent.path}/data-sources`, body), 201);
    expect(warnings).toEqual([expect.stringContaining('32 random bytes are recommended')]);
  });
});

describe('standard verifiers accept a real push', () => {
  it.each([
    ['with a whsec_ secret', `whsec_${Buffer.alloc(32, 7).toString('base64')}`, 'base64'],
    ['with a secret of plain text', 'plain text of a customer, no base64', 'raw'],
  ] as const)('the npm package standardwebhooks, %s', async (_name, secret, format) => {
    const { body, headers } = await push({ authScheme: 'HmacSha256' }, secret);
    const verifier = format === 'raw' ? new Webhook(secret, { format }) : new Webhook(secret);
    expect(verifier.verify(body ?? '', { ...headers })).toMatchObject({ stats: { total: 3 } });
    expect(() => verifier.verify(`${body} `, { ...headers })).toThrow();
  });

  it('Python’s standard library', async () => {
    const value = 'verified by another language, über';
    const python = await PythonReceiver.start(value);
    try {
      const agent = await (await platform().customer()).agent();
      const right = await agent.sink(python.url, { secret: { value } });
      const wrong = await agent.sink(python.url, { secret: { value: `${value}!` } });
      const jobId = await agent.finishJob(resultRows(100));
      const [accepted, refused] = [await right.deliveryOf(jobId), await wrong.deliveryOf(jobId)];
      expect(await agent.customer.settled(accepted.id)).toMatchObject({
        attempts: [{ status: 'SUCCEEDED', httpStatus: 204 }],
      });
      expect(await agent.customer.settled(refused.id)).toMatchObject({
        attempts: [{ status: 'HTTP_4XX', httpStatus: 401 }],
      });
    } finally {
      await python.stop();
    }
  });
});

describe('custom headers', () => {
  it('arrive unchanged with every push and every Test', async () => {
    const endpoint = await platform().receiver.endpoint();
    const agent = await (await platform().customer()).agent();
    const customHeaders = [
      { name: 'X-Environment', value: 'production; a=1, b="2"' },
      { name: 'Constructor', value: 'no object’s own'.replace('’', "'") },
      { name: 'X-Empty', value: '' },
    ];
    const sink = await agent.sink(endpoint, { config: { url: endpoint.url, authScheme: 'HmacSha256', customHeaders } });
    expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    await sink.settledPush();
    for (const { rawHeaders } of await endpoint.received(2)) {
      for (const { name, value } of customHeaders) {
        expect(rawHeaders.indexOf(name)).toBeGreaterThanOrEqual(0);
        expect(rawHeaders[rawHeaders.indexOf(name) + 1]).toBe(value);
      }
    }
  });

  it('saved before their names were reserved are not sent, and do not block other changes', async () => {
    const endpoint = await platform().receiver.endpoint();
    const agent = await (await platform().customer()).agent();
    const sink = await agent.sink(endpoint);
    const stored = [
      { name: 'X_MT_Signature', value: 'sha256=forged' },
      { name: 'X-Team', value: 'bi' },
      { name: 'Content_Length', value: '1' },
    ];
    await platform().sql(
      `UPDATE agent_data_source SET config = jsonb_set(config, '{customHeaders}', $2::jsonb) WHERE id = $1`,
      [sink.id, JSON.stringify(stored)],
    );
    const test = expectStatus(await sink.api.post(`${sink.path}/test`), 200);
    await sink.settledPush();
    const named = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase().replaceAll('_', '-'));
    expect(named(Object.keys((test['sent'] as { headers: object }).headers))).toContain('x-team');
    for (const { rawHeaders } of await endpoint.received(2)) {
      const sent = named(rawHeaders.filter((_, i) => i % 2 === 0));
      expect(sent).toContain('x-team');
      expect(sent.filter((name) => name === 'x-mt-signature' || name === 'content-length')).toHaveLength(2);
      expect(rawHeaders).not.toContain('sha256=forged');
    }
    const changed = expectStatus(await sink.api.patch(sink.path, { name: 'Another name' }), 200);
    expect(changed).toMatchObject({ config: { customHeaders: [{ name: 'X-Team', value: 'bi' }] } });
  });
});
