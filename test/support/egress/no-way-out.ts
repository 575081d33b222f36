import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { Socket } from 'node:net';

type Connect = (this: Socket, ...parameters: unknown[]) => Socket;

/**
 * Refuses every connection of this process to port 443, so that no test leaves this machine.
 * @returns where sockets were led to, in order; emptied before each test
 */
export function noWayOut(): string[] {
  const reached: string[] = [];
  const connect = Reflect.get(Socket.prototype, 'connect') as Connect;
  beforeAll(() => {
    (Socket.prototype as { connect: Connect }).connect = function (...parameters) {
      const [first] = parameters.flat() as [unknown];
      const { host, port } = (first ?? {}) as { host?: string; port?: number };
      if (port !== 443) return connect.apply(this, parameters);
      reached.push(String(host));
      const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      queueMicrotask(() => this.destroy(refused));
      return this;
    };
  });
  afterAll(() => {
    (Socket.prototype as { connect: Connect }).connect = connect;
  });
  beforeEach(() => void (reached.length = 0));
  return reached;
}
