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

/** A connection on which a request has begun: the host has read its head and waits for the body. */
async function begun(url: string): Promise<Socket> {
  const socket = connected(url);
  socket.write('POST /api/v1/agents HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
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

describe('a host that is told to stop', () => {
  it('ends though clients on kept-alive connections go on asking', async () => {
    const { url, stop } = await running(25_000);
    const client = await begun(url);
    const stopped = stop();
    await until(() => refusesConnections(url), 'the host listens no more');
    client.write('{}');
    // What was in flight is answered, and told that it was the last; who asks on is not heard.
    expect(String(await once(client, 'data'))).toMatch(/^HTTP\/1.1 401 [^]*\r\nconnection: close\r\n/i);
    const asksOn = setInterval(() => client.write('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n'), 500);
    const { code, afterMs } = await stopped.finally(() => clearInterval(asksOn));
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(15_000);
  });

  it('does not wait for a connection that has asked nothing', async () => {
    const { url, stop } = await running(25_000);
    const socket = connected(url);
    await once(socket, 'connect');
    const { code, afterMs } = await stop();
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(15_000);
  });

  it('after the grace cuts off a request that does not come to an end', async () => {
    const { url, stop } = await running(1_500);
    await begun(url);
    const { code, afterMs } = await stop();
    expect(code).toBe(0);
    expect(afterMs).toBeGreaterThan(1_400);
    expect(afterMs).toBeLessThan(15_000);
  });
});
