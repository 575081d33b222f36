import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { until } from '../../support/platform/until.js';
import { type HostChild, startHostChild } from './host-child.js';
import { newDataDirectory } from './host-fixture.js';

let host: HostChild | null = null;
const sockets: Socket[] = [];
afterEach(() => {
  host?.kill();
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function running(shutdownGraceMs: number): Promise<HostChild> {
  return (host = await startHostChild({ DATA_DIR: await newDataDirectory() }, { shutdownGraceMs }));
}

/** A connection to the host; that it is cut in the end is no error. */
function connected(url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

/** A connection on which a request has begun: the host has read its head, knows its token and waits for the body. */
async function begun({ url, token }: HostChild): Promise<Socket> {
  const socket = connected(url);
  const head = ['POST /api/v1/agents HTTP/1.1', 'Host: h', `Authorization: Bearer ${token}`];
  const body = ['Content-Type: application/json', 'Content-Length: 2', 'Expect: 100-continue'];
  socket.write(`${[...head, ...body].join('\r\n')}\r\n\r\n`);
  expect(String(await once(socket, 'data'))).toContain('100 Continue');
  return socket;
}

async function refusesConnections(url: string): Promise<boolean> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const refused = once(socket, 'connect').then(
    () => false,
    () => true,
  );
  return refused.finally(() => socket.destroy());
}

/** Whoever waits for it to pass is found out, however busy the machine is. */
const LONG_GRACE_MS = 240_000;

describe('a host at shutdown', () => {
  it('ends although clients keep sending on kept-alive connections', async () => {
    const child = await running(LONG_GRACE_MS);
    const { url, stop } = child;
    const client = await begun(child);
    const stopped = stop();
    await until(() => refusesConnections(url), 'the host listens no more');
    client.write('{}');
    // What was in flight is answered, and told that it was the last; who asks on is not heard.
    expect(String(await once(client, 'data'))).toMatch(/^HTTP\/1.1 422 [^]*\r\nconnection: close\r\n/i);
    const asksOn = setInterval(() => client.write('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n'), 500);
    const { code, afterMs } = await stopped.finally(() => clearInterval(asksOn));
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(LONG_GRACE_MS);
  });

  it('does not wait for an idle connection', async () => {
    const { url, stop } = await running(LONG_GRACE_MS);
    const socket = connected(url);
    await once(socket, 'connect');
    const { code, afterMs } = await stop();
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(LONG_GRACE_MS);
  });

  it('aborts a request that has not ended after the grace period', async () => {
    const child = await running(1_500);
    await begun(child);
    const { code, afterMs } = await child.stop();
    expect(code).toBe(0);
    expect(afterMs).toBeGreaterThan(1_400);
  });
});
