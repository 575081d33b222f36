import { channel } from 'node:diagnostics_channel';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { Client } from 'undici';
import { dispatchOnlyOurs } from '../../../../src/data-sinks/egress/only-our-headers.js';

/** As undici tells its listeners of a request. */
interface Created {
  readonly request: { readonly headers: string[]; addHeader(name: string, value: string): void };
}

const CREATED = channel('undici:request:create');
const OURS = ['x-mt-attempt', '1', 'content-length', '2', 'traceparent', 'ours', 'baggage', 'theirs=1'];

let server: Server;
let client: Client;
let received: Promise<IncomingMessage>;
let listeners: ((message: unknown) => void)[] = [];

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  server = createServer((_, response) => response.end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
beforeEach(() => {
  received = new Promise((resolve) => server.once('request', resolve));
});
afterEach(() => {
  for (const listener of listeners) CREATED.unsubscribe(listener);
  listeners = [];
});
afterAll(async () => {
  context.disable();
  await client.close();
  server.close();
});

function whenCreated(listener: (created: Created) => void): void {
  const heard = (message: unknown): void => listener(message as Created);
  listeners.push(heard);
  CREATED.subscribe(heard);
}

/** Sends a request. @returns what of its headers arrived, without what the connection needs */
async function sent(headers: readonly string[] = OURS, method = 'POST'): Promise<readonly string[]> {
  await new Promise<void>((resolve, reject) => {
    const body = method === 'POST' ? Buffer.from('{}') : '';
    dispatchOnlyOurs(
      client,
      { method, path: '/', headers: [...headers], body },
      {
        onRequestStart: () => undefined,
        onResponseStart: () => undefined,
        onResponseData: () => undefined,
        onResponseEnd: () => resolve(),
        onResponseError: (_, error) => reject(error),
      },
    );
  });
  const { rawHeaders } = await received;
  return rawHeaders.filter((_, i) => !['host', 'connection'].includes(rawHeaders[i - (i % 2)] ?? ''));
}

const arrived = (headers: readonly string[]): readonly string[] => [...headers].sort();

describe('a request has no header added by subscribers of undici’s channel', () => {
  it.each<readonly [string, (created: Created) => void]>([
    ['nobody listens', () => undefined],
    ['one adds headers, as OpenTelemetry does', ({ request }) => request.addHeader('tracestate', 'vendor=1')],
    ['one adds a name twice', ({ request }) => request.addHeader('traceparent', 'theirs')],
    ['one pushes into the list', ({ request }) => request.headers.push('sentry-trace', 'x')],
    ['one merges its baggage into a header of ours', ({ request }) => void request.headers.splice(5, 1, 'user=me')],
    ['one takes headers away', ({ request }) => void request.headers.splice(0, 2)],
  ])('%s', async (_, listener) => {
    whenCreated(listener);
    expect(arrived(await sent())).toEqual(arrived(OURS));
  });

  it('with several subscribers, which stay subscribed', async () => {
    let heard = 0;
    whenCreated(({ request }) => request.addHeader('first', String(++heard)));
    whenCreated(({ request }) => request.addHeader('second', String(++heard)));
    expect(arrived(await sent())).toEqual(arrived(OURS));
    await client.request({ method: 'GET', path: '/' }).then(({ body }) => body.dump());
    expect(heard).toBe(4);
  });

  it.each<readonly [string, (() => void) | null]>([
    ['nobody listens', null],
    ['somebody adds headers', () => whenCreated(({ request }) => request.addHeader('tracestate', 'vendor=1'))],
  ])('an OPTIONS without a body says so, although undici would leave that out: %s', async (_, subscribe) => {
    subscribe?.();
    const ours = ['x-mt-attempt', '1', 'content-length', '0'];
    expect(arrived(await sent(ours, 'OPTIONS'))).toEqual(arrived(ours));
  });

  it('and other requests are not affected', async () => {
    whenCreated(({ request }) => request.addHeader('traceparent', 'theirs'));
    await client.request({ method: 'GET', path: '/' }).then(({ body }) => body.dump());
    expect((await received).headers).toMatchObject({ traceparent: 'theirs' });
  });
});

it('tracing is suppressed during a request, and the caller’s span and baggage are hidden', async () => {
  const tracer = new BasicTracerProvider().getTracer('theirs');
  const seen: unknown[] = [tracer.startSpan('elsewhere').isRecording()];
  whenCreated(() => {
    seen.push(tracer.startSpan('theirs').isRecording(), trace.getSpanContext(context.active()));
    seen.push(propagation.getActiveBaggage());
  });
  const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
  const baggage = propagation.createBaggage({ user: { value: 'somebody' } });
  const callers = propagation.setBaggage(trace.setSpanContext(ROOT_CONTEXT, span), baggage);
  await context.with(callers, () => sent());
  expect(seen).toEqual([true, false, undefined, undefined]);
});
