import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

import { describe, expect, it } from '@jest/globals';

import { type Connection, IdleConnections } from '../../../../src/data-sinks/egress/idle-connections.js';

function connection(remoteAddress: string): Connection {
  const socket = new Duplex({ read() {}, write() {} }) as Socket;
  return { socket, remoteAddress } as Connection;
}

const at = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 as const }));

describe('idle connections', () => {
  it('are taken once, the youngest first, and only for their origin', () => {
    const idle = new IdleConnections({ perOrigin: 4, inAll: 8 });
    const [older, younger] = [connection('8.8.8.8'), connection('8.8.8.8')];
    idle.put('https://a.org', older);
    idle.put('https://a.org', younger);
    expect(idle.take('https://b.org', at('8.8.8.8'))).toBeNull();
    expect(idle.take('https://a.org', at('8.8.8.8'))).toBe(younger);
    expect(idle.take('https://a.org', at('8.8.8.8'))).toBe(older);
    expect(idle.take('https://a.org', at('8.8.8.8'))).toBeNull();
  });

  it('are taken only when their address is among those just vetted, in any spelling', () => {
    const idle = new IdleConnections({ perOrigin: 4, inAll: 8 });
    const one = connection('8.8.8.8');
    idle.put('https://a.org', one);
    expect(idle.take('https://a.org', at('9.9.9.9'))).toBeNull();
    expect(idle.take('https://a.org', at('9.9.9.9', '::ffff:808:808'))).toBe(one);
  });

  it('are closed, oldest first, when there are too many for one origin or in all', () => {
    const idle = new IdleConnections({ perOrigin: 2, inAll: 3 });
    const all = Array.from({ length: 5 }, () => connection('8.8.8.8'));
    ['a', 'a', 'a', 'b', 'c'].forEach((origin, i) => idle.put(origin, all[i] ?? connection('')));
    expect(all.map(({ socket }) => socket.destroyed)).toEqual([true, true, false, false, false]);
    expect(idle.size).toBe(3);
  });

  it('are forgotten when they close, and never taken when they are closed', () => {
    const idle = new IdleConnections({ perOrigin: 2, inAll: 3 });
    const [closed, destroyed] = [connection('8.8.8.8'), connection('8.8.8.8')];
    idle.put('a', closed);
    idle.put('a', destroyed);
    idle.forget(closed);
    destroyed.socket.destroy();
    expect(idle.take('a', at('8.8.8.8'))).toBeNull();
    idle.closeAll();
    expect(idle.size).toBe(0);
  });
});
