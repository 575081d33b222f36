import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { type Connection, IdleConnections } from '../../../../src/data-sinks/egress/idle-connections.js';
import { IdleLifetimes } from '../../../../src/data-sinks/egress/idle-lifetimes.js';

function connection(remoteAddress: string): Connection {
  const socket = new Duplex({ read() {}, write() {} }) as Socket;
  return { socket, remoteAddress } as Connection;
}

const at = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 as const }));

function idleConnections(perOrigin = 4, inAll = 8): IdleConnections {
  return new IdleConnections({ perOrigin, inAll, lifetimes: new IdleLifetimes(4_000), monotonicNow: () => Date.now() });
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('idle connections', () => {
  it('are reused most recent first, once, and only for their origin', () => {
    const idle = idleConnections();
    const [older, younger] = [connection('8.8.8.8'), connection('8.8.8.8')];
    idle.put('https://a.org', older, null);
    jest.advanceTimersByTime(10);
    idle.put('https://a.org', younger, null);
    jest.advanceTimersByTime(5);
    expect(idle.take('https://b.org', at('8.8.8.8'))).toBeNull();
    expect(idle.take('https://a.org', at('8.8.8.8'))).toEqual({ connection: younger, idleMs: 5 });
    expect(idle.take('https://a.org', at('8.8.8.8'))).toEqual({ connection: older, idleMs: 15 });
    expect(idle.take('https://a.org', at('8.8.8.8'))).toBeNull();
  });

  it('are reused only if their address was just checked, in any spelling', () => {
    const idle = idleConnections();
    const one = connection('8.8.8.8');
    idle.put('https://a.org', one, null);
    expect(idle.take('https://a.org', at('9.9.9.9'))).toBeNull();
    expect(idle.take('https://a.org', at('9.9.9.9', '::ffff:808:808'))?.connection).toBe(one);
  });

  it('are closed, oldest first, above the limits per origin and in total', () => {
    const idle = idleConnections(2, 3);
    const all = Array.from({ length: 5 }, () => connection('8.8.8.8'));
    ['a', 'a', 'a', 'b', 'c'].forEach((origin, i) => idle.put(origin, all[i] ?? connection(''), null));
    expect(all.map(({ socket }) => socket.destroyed)).toEqual([true, true, false, false, false]);
    expect(idle.size).toBe(3);
  });

  it('are removed when they close, and never reused afterwards', () => {
    const idle = idleConnections();
    const [closed, destroyed] = [connection('8.8.8.8'), connection('8.8.8.8')];
    idle.put('a', closed, null);
    idle.put('a', destroyed, null);
    idle.closed(closed);
    destroyed.socket.destroy();
    expect(idle.take('a', at('8.8.8.8'))).toBeNull();
    idle.closeAll();
    expect(idle.size).toBe(0);
  });

  it('that have ended or half ended are not kept', async () => {
    const idle = idleConnections();
    const [ended, halfClosed, destroyed] = [connection('8.8.8.8'), connection('8.8.8.8'), connection('8.8.8.8')];
    ended.socket.push(null);
    ended.socket.resume();
    await new Promise((resolve) => ended.socket.once('end', resolve));
    halfClosed.socket.end();
    destroyed.socket.destroy();
    for (const one of [ended, halfClosed, destroyed]) idle.put('a', one, null);
    expect(idle.size).toBe(0);
    expect([ended, halfClosed, destroyed].every(({ socket }) => socket.destroyed)).toBe(true);
  });

  it('of a receiver that announces a timeout are reused until one second before it', () => {
    const idle = idleConnections();
    const put = (announcedMs: number): Connection => {
      const one = connection('8.8.8.8');
      idle.put('a', one, announcedMs);
      return one;
    };
    const soonOver = put(1_000);
    expect(soonOver.socket.destroyed).toBe(true);
    const one = put(3_000);
    jest.advanceTimersByTime(1_999);
    expect(idle.take('a', at('8.8.8.8'))?.connection).toBe(one);
    put(3_000);
    jest.advanceTimersByTime(2_000);
    expect(idle.take('a', at('8.8.8.8'))).toBeNull();
  });

  it('of a receiver that was seen to close after 2 seconds are reused for one', () => {
    const idle = idleConnections();
    const [first, second] = [connection('8.8.8.8'), connection('8.8.8.8')];
    idle.put('a', first, null);
    jest.advanceTimersByTime(2_000);
    idle.closed(first);
    idle.put('a', second, null);
    jest.advanceTimersByTime(999);
    expect(idle.take('a', at('8.8.8.8'))?.connection).toBe(second);
    idle.put('a', second, null);
    jest.advanceTimersByTime(1_000);
    expect(idle.take('a', at('8.8.8.8'))).toBeNull();
    expect(second.socket.destroyed).toBe(false);
  });

  it('of a receiver that closes after every response are not reused, and at most one is observed', () => {
    const idle = idleConnections();
    const [first, watched, spare] = [connection('8.8.8.8'), connection('8.8.8.8'), connection('8.8.8.8')];
    idle.put('a', first, null);
    idle.closed(first);
    idle.put('a', watched, null);
    idle.put('a', spare, null);
    expect(idle.take('a', at('8.8.8.8'))).toBeNull();
    expect([watched.socket.destroyed, spare.socket.destroyed]).toEqual([false, true]);
  });

  it('are reused again after an observed one outlived the maximum', () => {
    const idle = idleConnections();
    const [first, watched, next] = [connection('8.8.8.8'), connection('8.8.8.8'), connection('8.8.8.8')];
    idle.put('a', first, null);
    idle.closed(first);
    idle.put('a', watched, null);
    jest.advanceTimersByTime(4_000);
    expect(watched.socket.destroyed).toBe(true);
    idle.put('a', next, null);
    expect(idle.take('a', at('8.8.8.8'))?.connection).toBe(next);
  });

  it('that we close teach nothing about the receiver', () => {
    const idle = idleConnections(1);
    const [oldest, next, last] = [connection('8.8.8.8'), connection('8.8.8.8'), connection('8.8.8.8')];
    for (const one of [oldest, next]) {
      one.socket.once('close', () => idle.closed(one));
      idle.put('a', one, null);
    }
    expect(oldest.socket.destroyed).toBe(true);
    expect(idle.take('a', at('8.8.8.8'))?.connection).toBe(next);
    idle.closed(next);
    idle.put('a', last, null);
    expect(idle.take('a', at('8.8.8.8'))?.connection).toBe(last);
  });
});
