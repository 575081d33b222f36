import { afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newDataDirectory } from './host-fixture.js';

const HOST = fileURLToPath(new URL('../../chaos/processes/worker.mjs', import.meta.url));

let child: ChildProcess | null = null;
afterEach(() => child?.kill('SIGKILL'));

interface Running {
  readonly url: string;
  /** Sends SIGTERM; the exit code and how long it took. */
  readonly stop: () => Promise<{ readonly code: number | null; readonly afterMs: number }>;
}

/** The host as a process of its own, in a fresh data directory. */
async function running(shutdownGraceMs: number): Promise<Running> {
  const { PATH = '', HOME = '' } = process.env;
  const started = fork(HOST, [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...{ PATH, HOME, PORT: '0', LOG_LEVEL: 'error', DATA_DIR: await newDataDirectory() },
      CHAOS_OPTIONS: JSON.stringify({ shutdownGraceMs }),
    },
  });
  child = started;
  const [{ url }] = (await once(started, 'message')) as [{ url: string }];
  const stop = async (): ReturnType<Running['stop']> => {
    const sentAt = performance.now();
    started.kill('SIGTERM');
    const [code] = (await once(started, 'exit')) as [number | null];
    return { code, afterMs: performance.now() - sentAt };
  };
  return { url, stop };
}

/** @returns the header `Connection` of the answer */
function ask(url: string, agent: Agent): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    request(`${url}/api/v1/agents`, { agent }, (answer) => {
      answer.resume().once('end', () => resolve(answer.headers.connection));
    })
      .once('error', reject)
      .end();
  });
}

describe('a host that is told to stop', () => {
  it('ends while clients on kept-alive connections go on asking', async () => {
    const { url, stop } = await running(25_000);
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    expect(await ask(url, agent)).toBe('keep-alive');
    const load = { goesOn: true };
    const clients = [1, 2, 3, 4].map(async () => {
      // A client that is refused asks again a moment later.
      while (load.goesOn) await ask(url, agent).catch(() => delay(20));
    });
    const { code, afterMs } = await stop();
    load.goesOn = false;
    await Promise.all(clients);
    agent.destroy();
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(15_000);
  });

  it('does not wait for a connection that has asked nothing', async () => {
    const { url, stop } = await running(25_000);
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    await once(socket, 'connect');
    const { code, afterMs } = await stop();
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(15_000);
  });

  it('after the grace cuts off a request that does not come to an end', async () => {
    const { url, stop } = await running(1_500);
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
    socket.write('POST /api/v1/agents HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n');
    // The host has read the head.
    await once(socket, 'data');
    const { code, afterMs } = await stop();
    expect(code).toBe(0);
    expect(afterMs).toBeGreaterThan(1_400);
    expect(afterMs).toBeLessThan(15_000);
  });
});
