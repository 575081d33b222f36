import { createHash } from 'node:crypto';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import { loopbackClient, pushOf, streamedBody, wholeBody } from '../../support/egress/push-client-fixture.js';
import { ReceiverProcess } from '../../support/egress/receiver-process.js';

describe('posting to an endpoint', () => {
  let receiver: ReceiverProcess;
  let client: PushClient;

  beforeAll(async () => {
    receiver = await ReceiverProcess.start();
  });
  afterAll(() => receiver.stop());
  beforeEach(() => {
    client = loopbackClient();
  });
  afterEach(() => client.close());

  it('a small body arrives byte for byte with its length and our headers, and the response is returned', async () => {
    const body = wholeBody('{"jobId":"job_01"}');
    const exchange = await client.post(
      pushOf(receiver.url('/answer/status/200?small'), body, {
        headers: { 'content-type': 'application/json', 'X-MT-Attempt': '1' },
        customHeaders: [
          { name: 'X-Team', value: 'bi' },
          { name: 'x-mt-attempt', value: 'forged' },
        ],
      }),
    );
    expect(exchange.result).toEqual({ kind: 'answered', httpStatus: 200, retryAfterMs: 7000 });
    expect(exchange.answer).toMatchObject({ httpStatus: 200, excerpt: 'received 18', ending: 'complete' });
    expect(exchange.answer?.headers).toContainEqual(['Content-Length', '11']);
    expect(exchange).toMatchObject({ remoteAddress: '127.0.0.1', operatorDetail: null });
    expect(exchange.timings).toMatchObject({ dnsMs: null, connectMs: expect.any(Number), tlsMs: null });

    const request = (await receiver.state()).seen.find(({ path }) => path === '/answer/status/200?small');
    expect(request?.sha256).toBe(createHash('sha256').update('{"jobId":"job_01"}').digest('hex'));
    expect(request?.head.toLowerCase()).toContain('content-length: 18\r\n'.trim());
    expect(request?.head).toMatch(/^user-agent: data-sinks-test\/1$/im);
    expect(request?.head).toMatch(/^accept-encoding: identity$/im);
    expect(request?.head.match(/x-mt-attempt/gi)).toHaveLength(1);
    expect(request?.head).not.toContain('forged');
    expect(request?.head).not.toMatch(/transfer-encoding/i);
  });

  it('a large streamed body arrives complete, with its length', async () => {
    const exchange = await client.post(pushOf(receiver.url('/answer/status/202?large'), streamedBody(5_000_001)));
    expect(exchange.answer).toMatchObject({ httpStatus: 202, excerpt: 'received 5000001', ending: 'complete' });
    const request = (await receiver.state()).seen.find(({ path }) => path === '/answer/status/202?large');
    expect(request?.sha256).toBe(createHash('sha256').update(Buffer.alloc(5_000_001, 'a')).digest('hex'));
    expect(request?.head).toMatch(/^content-length: 5000001$/im);
  });

  it('the next request to the same origin reuses the connection', async () => {
    const before = (await receiver.state()).connections;
    for (const body of [wholeBody('1'), streamedBody(100_000), wholeBody('')]) {
      const exchange = await client.post(pushOf(receiver.url('/answer/status/200'), body));
      expect(exchange.answer).toMatchObject({ httpStatus: 200, ending: 'complete' });
    }
    expect((await receiver.state()).connections).toBe(before + 1);
  });

  it('a receiver that responds 2xx before it has read the body still gets all of it', async () => {
    const exchange = await client.post(pushOf(receiver.url('/answer/eager/200?eager'), streamedBody(3_000_000)));
    expect(exchange.answer).toMatchObject({ httpStatus: 200, excerpt: 'ok', ending: 'complete' });
    const state = await receiver.until(({ seen }) => seen.some((r) => r.path.endsWith('eager') && r.sha256 !== null));
    expect(state.seen.find((r) => r.path.endsWith('eager'))?.bodyBytes).toBe(3_000_000);
  });

  it('an aborted request rejects with the signal’s reason and closes its connection', async () => {
    const controller = new AbortController();
    const posted = client.post(pushOf(receiver.url('/attack/never-answers'), undefined, { signal: controller.signal }));
    await receiver.until(({ seen }) =>
      seen.some(({ path, sha256 }) => path === '/attack/never-answers' && sha256 !== null),
    );
    const reason = new Error('shutting down');
    controller.abort(reason);
    await expect(posted).rejects.toBe(reason);
  });

  it.each([
    ['whole', 100, 'complete'],
    ['up to the cap, which cuts the credential', 16_374, 'cap'],
  ])('the credential is masked in a response that echoes it and is kept %s', async (_how, characters, ending) => {
    const headers = { Authorization: 'Bearer abcdefghijklmnop/1234567890' };
    const { answer } = await client.post(pushOf(receiver.url(`/answer/echo/${characters}`), undefined, { headers }));
    expect(answer).toMatchObject({ ending, excerpt: `${'x'.repeat(characters)}****` });
    expect(answer?.headers).toContainEqual(['X-Echo', '****']);
  });

  it('a body that cannot be read rejects with its own error, which is not the receiver’s failure', async () => {
    const failure = new Error('the store is gone');
    const body = {
      bytes: 1_000_000,
      whole: null,
      async *open() {
        yield new Uint8Array(300_000);
        throw failure;
      },
    };
    await expect(client.post(pushOf(receiver.url('/answer/status/200'), body))).rejects.toBe(failure);
  });

  it.each([
    ['short', 500_000],
    ['long', 2_000_000],
    ['small and short', 10],
  ])('a body with a wrong declared length (%s) rejects', async (_name, bytes) => {
    const body = { ...streamedBody(bytes), bytes: bytes + 1 };
    await expect(client.post(pushOf(receiver.url('/answer/status/200'), body))).rejects.toMatchObject({
      code: 'body_length_mismatch',
    });
  });
});
