import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type Agent, expectStatus, type Sink, sinkBody } from '../../support/platform/customer.js';
import { suitePlatform } from '../../support/platform/suite-platform.js';
import { until } from '../../support/platform/until.js';

const PER_MINUTE = 40;

const platform = suitePlatform({
  options: {
    requestsPerMinute: PER_MINUTE,
    testsPerMinute: 2,
  },
});

const newAgent = async (): Promise<Agent> => (await platform().customer()).draftAgent();
const PROBLEM = 'https://mapping.travel/errors/';

/** A request that the test writes by itself, piece by piece. */
async function rawRequest(agent: Agent, token: string, head: readonly string[]): Promise<RawRequest> {
  const { port, host } = new URL(platform().origin);
  const socket = connect(Number(port), '127.0.0.1');
  let received = '';
  let closed = false;
  socket.on('data', (data) => (received += data.toString('latin1')));
  socket.on('error', () => undefined);
  socket.on('close', () => (closed = true));
  const lines = [
    `POST /api/v1/${agent.path}/data-sources HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${token}`,
    ...head,
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  return {
    socket,
    status: () => until(() => Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1]) || null, 'an answer comes'),
    text: () => received,
    closed: () => until(() => closed, 'the connection is closed'),
  };
}

interface RawRequest {
  readonly socket: ReturnType<typeof connect>;
  readonly status: () => Promise<number>;
  readonly text: () => string;
  readonly closed: () => Promise<boolean>;
}

const CHUNKED = ['Content-Type: application/json', 'Transfer-Encoding: chunked'];
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

/** What this process, platform and all, cannot let go of. */
function memoryInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a body', () => {
  it.each([
    ['with its length', {}],
    ['in chunks, without', { stream: true }],
  ])('of up to 64 KB is read, %s, and one byte more is not', async (_how, how: { readonly stream?: boolean }) => {
    const agent = await newAgent();
    const padded = (size: number): string => {
      const text = JSON.stringify(sinkBody('https://acme.com/'));
      return text + ' '.repeat(size - text.length);
    };
    const token = await platform().token(agent.customer.workspaceId);
    const send = async (body: string): Promise<Response> =>
      fetch(`${platform().origin}/api/v1/${agent.path}/data-sources`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
        body: how.stream ? new Blob([body]).stream() : body,
        ...(how.stream && { duplex: 'half' }),
      } as RequestInit);
    expect((await send(padded(65_536))).status).toBe(201);
    const refused = await send(padded(65_537));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ type: `${PROBLEM}body-too-large` });
  });

  it('of 100 MB is refused and never kept in memory', async () => {
    const agent = await newAgent();
    const token = await platform().token(agent.customer.workspaceId);
    const piece = Buffer.alloc(64 * 1024, ' ');
    const pieces = 1_600;
    const length = `Content-Length: ${pieces * piece.length}`;
    const request = await rawRequest(agent, token, ['Content-Type: application/json', length]);
    const before = memoryInUse();
    for (let i = 1; i < pieces; i++) await new Promise((resolve) => request.socket.write(piece, resolve));
    // V8 gives buffers back on a thread of its own, which may be late; what is held never comes back.
    await until(() => memoryInUse() - before < 16 * 1024 * 1024, 'the pieces that were read are given back');
    request.socket.write(piece);
    expect(await request.status()).toBe(413);
    request.socket.destroy();
  });

  it('may arrive slowly, and blocks nobody', async () => {
    const agent = await newAgent();
    const token = await platform().token(agent.customer.workspaceId);
    const request = await rawRequest(agent, token, CHUNKED);
    const text = JSON.stringify(sinkBody('https://acme.com/'));
    for (const character of text) {
      request.socket.write(chunk(character));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expectStatus(await agent.api.get(`${agent.path}/data-sources`), 200);
    expect(request.text()).toBe('');
    request.socket.write('0\r\n\r\n');
    expect(await request.status()).toBe(201);
    request.socket.destroy();
  });

  it('that does not end is refused after the deadline, and the connection closed', async () => {
    const agent = await newAgent();
    const token = await platform().token(agent.customer.workspaceId);
    const real = globalThis.setTimeout;
    // Half a minute is too long for a test.
    jest
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((work: () => void, ms: number) => real(work, ms === 30_000 ? 200 : ms)) as never);
    const request = await rawRequest(agent, token, CHUNKED);
    request.socket.write(chunk('{"role":'));
    expect(await request.status()).toBe(400);
    expect(request.text()).toContain('was not complete after 30 seconds');
    expect(request.text()).toMatch(/x-content-type-options: nosniff/i);
    await request.closed();
    expect(expectStatus(await agent.api.get(`${agent.path}/data-sources`), 200).items).toEqual([]);
  });

  it('whose client disconnects leaves nothing behind', async () => {
    const agent = await newAgent();
    const token = await platform().token(agent.customer.workspaceId);
    const request = await rawRequest(agent, token, ['Content-Type: application/json', 'Content-Length: 1000']);
    request.socket.write('{"role":"RESULTS_SINK"');
    request.socket.destroy();
    await request.closed();
    expect(expectStatus(await agent.api.get(`${agent.path}/data-sources`), 200).items).toEqual([]);
  });

  it('nested deeper than 32 levels is refused', async () => {
    const agent = await newAgent();
    const body = `{"name":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    const headers = { 'Content-Type': 'application/json' };
    const refused = await agent.api.raw('POST', `${agent.path}/data-sources`, { headers, body });
    expect(expectStatus(refused, 400)).toMatchObject({ type: `${PROBLEM}malformed-json` });
  });
});

describe('requests', () => {
  it('of one token are limited; other tokens, even of the same workspace, have their own limit', async () => {
    const agent = await newAgent();
    const { workspaceId } = agent.customer;
    const [busy, quiet] = [
      await platform().token(workspaceId),
      await platform().token(workspaceId, ['data-sinks:read']),
    ];
    const path = `${agent.path}/data-sources`;
    for (let i = 0; i < PER_MINUTE; i++) expectStatus(await platform().client(busy).get(path), 200);
    for (const refused of [
      await platform().client(busy).get(path),
      await platform().client(busy).get('deliveries/dlv_none'),
    ]) {
      expect(expectStatus(refused, 429)).toMatchObject({ type: `${PROBLEM}rate-limited` });
      const wait = Number(refused.headers.get('retry-after'));
      expect(wait >= 1 && wait <= 60).toBe(true);
    }
    expectStatus(await platform().client(quiet).get(path), 200);
    // The host's own endpoints are the host's to limit.
    expectStatus(await platform().client(busy).get('agents'), 200);
  });

  it('that lack a scope count as well', async () => {
    const agent = await newAgent();
    const token = await platform().token(agent.customer.workspaceId, []);
    for (let i = 0; i < PER_MINUTE; i++)
      expectStatus(await platform().client(token).get(`${agent.path}/data-sources`), 403);
    expectStatus(await platform().client(token).get(`${agent.path}/data-sources`), 429);
  });
});

describe('the Test', () => {
  it('is limited for all sinks of a workspace together', async () => {
    const customer = await platform().customer();
    const agents: readonly Agent[] = [await customer.draftAgent(), await customer.draftAgent()];
    const sinks: Sink[] = [];
    for (const agent of agents)
      for (let i = 0; i < 3 && sinks.length < 5; i++) {
        sinks.push(await agent.sink(await platform().receiver.endpoint()));
      }
    const press = async (): Promise<number[]> => {
      const statuses: number[] = [];
      for (const sink of sinks) statuses.push((await sink.api.post(`${sink.path}/test`)).status);
      return statuses;
    };
    expect([...(await press()), ...(await press())]).toEqual(Array.from({ length: 10 }, () => 200));
    expect(await press()).toEqual([429, 429, 429, 429, 429]);
    const other = await (await newAgent()).sink(await platform().receiver.endpoint());
    expectStatus(await other.api.post(`${other.path}/test`), 200);
  });
});

describe('security headers', () => {
  const OURS = {
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'content-security-policy': expect.stringMatching(/^default-src 'none'/),
  };

  it('are in all our responses, whatever the status', async () => {
    const agent = await newAgent();
    const sink = await agent.sink(await platform().receiver.endpoint());
    const path = `${agent.path}/data-sources`;
    const answers = [
      await agent.api.get(path),
      await agent.api.get(sink.path),
      await agent.api.post(`${sink.path}/test`),
      await platform().client(null).get(path),
      await platform()
        .client(await platform().token(agent.customer.workspaceId, []))
        .get(path),
      await agent.api.get('deliveries/dlv_none'),
      await agent.api.get(`${path}?limit=x`),
      await agent.api.post(path, { role: 'X' }),
      await agent.api.raw('POST', path, { body: '{', headers: { 'Content-Type': 'application/json' } }),
      await agent.api.raw('POST', path, { body: '{}'.padEnd(70_000), headers: { 'Content-Type': 'application/json' } }),
      await agent.api.raw('POST', path, { body: '<a/>', headers: { 'Content-Type': 'text/xml' } }),
      await agent.api.delete(sink.path),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 401, 403, 404, 422, 422, 400, 413, 415, 204]);
    for (const { headers } of answers) {
      // An answer with an ETag asks gateways not to weaken it.
      const kept = headers.has('etag') && { 'cache-control': 'no-store, no-transform' };
      expect(Object.fromEntries(headers)).toMatchObject({ ...OURS, ...kept });
    }
    expect(answers.map(({ headers }) => headers.has('etag')).indexOf(true)).toBe(1);
  });

  it('and limits apply to every spelling of a path', async () => {
    const agent = await newAgent();
    const path = `/API/V1/Agents/${agent.id}/Data-Sources`;
    const answers = [
      await agent.api.get(path),
      await agent.api.raw('POST', path, { body: '{}'.padEnd(70_000), headers: { 'Content-Type': 'application/json' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 413]);
    for (const { headers } of answers) expect(Object.fromEntries(headers)).toMatchObject(OURS);
  });

  it('are not added to the host’s responses', async () => {
    const agent = await newAgent();
    for (const path of ['agents', agent.path, '/healthz', '/api/openapi.json']) {
      const { headers } = await agent.api.get(path);
      expect(headers.get('content-security-policy')).toBeNull();
      expect(headers.get('cache-control')).toBeNull();
    }
  });
});
