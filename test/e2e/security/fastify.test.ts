import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { type FastifyInstanceLike, readBodiesInFastify } from '../../../src/data-sinks/admin/lenient-json.fastify.js';
import { ourPaths } from '../../../src/data-sinks/admin/our-paths.js';
import { until } from '../../support/platform/until.js';

let server: FastifyInstance;
let origin: string;

beforeEach(async () => {
  server = fastify();
  readBodiesInFastify(server as unknown as FastifyInstanceLike, ourPaths(''), 100);
  server.post('/deliveries', (request) => ({ ours: request.body }));
  server.post('/hosts-own', (request) => ({ hosts: request.body }));
  origin = await server.listen({ port: 0, host: '127.0.0.1' });
});

afterEach(() => server.close());

const post = (path: string, body: string): Promise<Response> =>
  fetch(`${origin}${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });

describe('on Fastify', () => {
  it.each([
    ['{"a":1}', 200],
    ['{', 400],
    [' '.repeat(70_000), 413],
  ])('our answers have our headers (%#)', async (body, status) => {
    const answer = await post('/deliveries', body);
    expect(answer.status).toBe(status);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringMatching(/^default-src 'none'/),
    });
  });

  it('our answers have them, and our limits, however the path is spelt', async () => {
    expect(ourPaths('api')('/API/agents/%2e%2e%2F/%64ata-sources?x')).toBe(true);
    expect(ourPaths('api')('/api/agents/agt_1/data-sources#x')).toBe(true);
    expect(ourPaths('api')('/hosts-own#/api/deliveries')).toBe(false);
    const answer = await post('/%64eliveries', ' '.repeat(70_000));
    expect(answer.status).toBe(413);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('the host’s do not', async () => {
    const answer = await post('/hosts-own', '{"a":1}');
    expect(await answer.json()).toEqual({ hosts: { a: 1 } });
    expect(answer.headers.get('content-security-policy')).toBeNull();
  });

  it('a body that does not end is given up: its sender is told and disconnected', async () => {
    const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
    let received = '';
    let closed = false;
    socket.on('data', (data) => (received += data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => (closed = true));
    socket.write('POST /deliveries HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n');
    await until(() => received.startsWith('HTTP/1.1 400'), 'it is refused');
    expect(received).toContain('did not arrive whole');
    await until(() => closed, 'the connection is closed');
  });
});
